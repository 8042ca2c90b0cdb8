/* Replaces the static drawing of a chart by plotly, and follows the page's theme. */
(function () {
  "use strict";

  const drawn = new Set();

  window.Plotly.register({
    moduleType: "locale",
    name: "ko",
    dictionary: {},
    format: {
      days: ["일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"],
      shortDays: ["일", "월", "화", "수", "목", "금", "토"],
      months: ["1월", "2월", "3월", "4월", "5월", "6월", "7월", "8월", "9월", "10월",
        "11월", "12월"],
      shortMonths: ["1월", "2월", "3월", "4월", "5월", "6월", "7월", "8월", "9월",
        "10월", "11월", "12월"],
      date: "%Y-%m-%d",
      decimal: ".",
      thousands: ",",
      grouping: [3],
      currency: ["₩", ""],
      year: "%Y년",
      month: "%Y-%m",
      dayMonth: "%-m월 %-d일",
      dayMonthYear: "%Y-%m-%d",
    },
  });

  function theme(element) {
    const style = getComputedStyle(element);
    const line = style.getPropertyValue("--rb-line").trim();
    const changes = {
      "font.color": style.color,
      "font.family": style.fontFamily,
      "font.size": 12,
      "hoverlabel.bgcolor": style.getPropertyValue("--rb-bg").trim(),
      "hoverlabel.bordercolor": line,
      "hoverlabel.font.color": style.color,
    };
    for (const axis of ["xaxis", "yaxis"]) {
      changes[axis + ".gridcolor"] = line;
      changes[axis + ".linecolor"] = line;
      changes[axis + ".zerolinecolor"] = line;
    }
    return changes;
  }

  function themed(layout, element) {
    for (const [path, value] of Object.entries(theme(element))) {
      const names = path.split(".");
      const last = names.pop();
      const isAxis = names.length && names[0].endsWith("axis");
      if (isAxis && !(names[0] in layout)) {
        continue;
      }
      names.reduce((part, name) => (part[name] = part[name] || {}), layout)[last] = value;
    }
    return layout;
  }

  function followTheme() {
    for (const element of drawn) {
      if (!element.isConnected) {
        drawn.delete(element);
      } else {
        window.Plotly.relayout(element, themed({ ...element.layout }, element));
      }
    }
  }

  new MutationObserver(followTheme).observe(document.documentElement, {
    attributes: true, attributeFilter: ["data-theme"],
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", followTheme);

  function upgrade(element) {
    const island = document.getElementById(element.dataset.source);
    const figure = JSON.parse(island.textContent);
    const host = document.createElement("div");
    host.className = "rb-plotly";
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", element.dataset.name);
    element.append(host);
    const korean = document.documentElement.lang.startsWith("ko");
    window.Plotly.newPlot(host, figure.data, themed(figure.layout, element), {
      displayModeBar: false,
      responsive: true,
      locale: korean ? "ko" : "en",
      scrollZoom: false,
      showTips: false,
    }).then(() => {
      element.classList.add("rb-live");
      drawn.add(host);
      // plotly follows the window; a card may change its size alone.
      new ResizeObserver(() => {
        if (host.isConnected && host.offsetWidth && host.offsetHeight) {
          window.Plotly.Plots.resize(host);
        }
      }).observe(host);
    });
  }

  window.SignalboxBlocks.upgrades.chart = upgrade;
})();
