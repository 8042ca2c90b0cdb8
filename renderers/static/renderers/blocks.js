/* Makes drawn blocks interactive as they come; fetches a library only for a block
   that needs it. The page is whole without it. */
(function () {
  "use strict";

  const addresses = document.currentScript.dataset;
  const loading = new Map();
  const upgrades = {};
  window.SignalboxBlocks = { upgrades };

  // plotly would write its rules into a style element, which the page's policy
  // forbids; it leaves them alone where an element of this name and class stands.
  // The rules it needs are in blocks.css.
  if (!document.getElementById("plotly.js-style-global")) {
    const marker = document.createElement("meta");
    marker.id = "plotly.js-style-global";
    marker.className = "no-inline-styles";
    document.head.append(marker);
  }

  function loadOne(address) {
    if (!loading.has(address)) {
      loading.set(address, new Promise((resolve, reject) => {
        const isStyle = /\.css(\?|$)/.test(address);
        const element = document.createElement(isStyle ? "link" : "script");
        if (isStyle) {
          element.rel = "stylesheet";
          element.href = address;
        } else {
          element.src = address;
        }
        element.addEventListener("load", resolve);
        element.addEventListener("error", () => {
          loading.delete(address);
          reject(new Error("Could not load " + address));
        });
        // Before our own style sheet, so that ours wins over a library's.
        const first = document.head.querySelector("link[rel=stylesheet]");
        document.head.insertBefore(element, isStyle ? first : null);
      }));
    }
    return loading.get(address);
  }

  async function load(kind) {
    const name = kind.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
    for (const address of (addresses[name] || "").split(" ").filter(Boolean)) {
      await loadOne(address);
    }
  }

  async function upgrade(element) {
    const kind = element.dataset.upgrade;
    try {
      await load(kind);
      if (element.isConnected) {
        upgrades[kind.split("-")[0]](element);
        element.dataset.upgraded = "yes";
      }
    } catch {
      // The drawn block stays as it is, which is complete.
      element.dataset.upgraded = "failed";
    }
  }

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        near.unobserve(entry.target);
        upgrade(entry.target);
      }
    }
  }, { rootMargin: "400px" });

  function look() {
    const found = document.querySelectorAll("[data-upgrade]:not([data-upgraded])");
    for (const element of found) {
      element.dataset.upgraded = "waiting";
      near.observe(element);
    }
  }

  let planned = false;
  new MutationObserver(() => {
    if (!planned) {
      planned = true;
      setTimeout(() => { planned = false; look(); }, 16);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
  look();
})();
