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

  // Tab reaches what is longer than its place, and nothing else: the page is drawn
  // with every place in reach, because only a browser knows which one scrolls.
  const reach = (element) => {
    if (element === document.activeElement) return;
    const longer = element.scrollHeight > element.clientHeight + 1
      || element.scrollWidth > element.clientWidth + 1;
    if (longer) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) {
      const { target } = entry;
      reach(target.classList.contains("rb") ? target.parentElement : target);
    }
  });
  const watched = new WeakSet();
  const watch = () => {
    const places = document.querySelectorAll(
      ".block-body, .block-facts, .block-body > .rb, .block-body .rb-scroll",
    );
    for (const place of places) {
      if (!watched.has(place)) {
        watched.add(place);
        sizes.observe(place);
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

  const look = () => {
    handOver();
    watch();
  };
  new MutationObserver(look).observe(document.documentElement, {
    childList: true, subtree: true,
  });

  const finish = () => {
    putInOrder();
    announce();
    look();
  };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", finish, { once: true });
  } else {
    finish();
  }
  // htmx is loaded asynchronously as well: look once more when everything is there.
  window.addEventListener("load", handOver, { once: true });
})();
