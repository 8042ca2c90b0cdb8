// Upgrades a streamed screen; without it the page shows the same data.
(() => {
  "use strict";

  // htmx may load before or after a cell; every cell is handed over once.
  const processed = new WeakSet();
  const handOver = () => {
    if (!window.htmx) return;
    for (const section of document.querySelectorAll("#blocks section")) {
      if (!processed.has(section)) {
        processed.add(section);
        window.htmx.process(section);
      }
    }
  };

  // The cells stand in order of arrival. Moving them into the order of the page
  // puts copying right; moveBefore keeps focus, typed values and running frames.
  const putInOrder = () => {
    const grid = document.getElementById("blocks");
    if (!grid || !grid.shadowRoot || !("moveBefore" in grid)) return;
    for (const slot of grid.shadowRoot.querySelectorAll("slot[name]")) {
      for (const cell of slot.assignedElements()) grid.moveBefore(cell, null);
    }
  };

  const announce = () => {
    const live = document.getElementById("screen-live");
    const summary = document.getElementById("screen-summary");
    if (live && summary) live.textContent = summary.textContent;
  };

  const observer = new MutationObserver(handOver);
  observer.observe(document.documentElement, { childList: true, subtree: true });

  const finish = () => {
    putInOrder();
    announce();
    handOver();
  };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", finish, { once: true });
  } else {
    finish();
  }
  // htmx is loaded asynchronously as well: look once more when everything is there.
  window.addEventListener("load", handOver, { once: true });
})();
