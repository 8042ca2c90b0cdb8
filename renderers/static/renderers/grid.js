/* Upgrades a drawn grid to Tabulator: sorting, filters, keyboard. Texts are those the
   server wrote; the keys beside them only sort and filter. */
(function () {
  "use strict";

  function cellContent(column, row) {
    const text = column.texts[row];
    const holder = document.createElement("span");
    if (text === null || text === "") {
      holder.className = "rb-null";
      if (text === null) {
        const dash = document.createElement("span");
        dash.setAttribute("aria-hidden", "true");
        dash.textContent = "—";
        holder.append(dash);
      }
      const word = document.createElement("span");
      word.className = "rb-hidden";
      word.textContent = text === null ? column.words.noValue : column.words.emptyText;
      holder.append(word);
    } else {
      holder.textContent = text;
    }
    const mark = column.marks && column.marks[row];
    if (mark) {
      holder.className = "rb-mark rb-" + mark[0];
      const word = document.createElement("span");
      word.className = "rb-word rb-sign-" + mark[0];
      word.textContent = mark[1];
      holder.append(" ", word);
    }
    return holder;
  }

  function compare(column, first, second, direction) {
    const keys = column.keys || column.texts;
    const [a, b] = [keys[first], keys[second]];
    if (a === null || b === null || a === b) {
      // Missing values last, whichever way the others run.
      const order = (a === null) - (b === null);
      return direction === "asc" ? order : -order;
    }
    return typeof a === "number" ? a - b : String(a).localeCompare(String(b));
  }

  const COMPARISON = /^\s*(<=|>=|<|>|=)\s*(-?[\d.,]+)\s*$/;

  function passes(column, wanted, row) {
    const match = column.number && COMPARISON.exec(wanted);
    if (!match) {
      const text = column.texts[row];
      return text !== null && text.toLowerCase().includes(wanted.toLowerCase());
    }
    const [key, bound] = [column.keys[row], Number(match[2].replace(/,/g, ""))];
    if (key === null) {
      return false;
    }
    return { "<": key < bound, "<=": key <= bound, ">": key > bound,
      ">=": key >= bound, "=": key === bound }[match[1]];
  }

  function title(column) {
    const holder = document.createElement("span");
    holder.textContent = column.label;
    if (column.unit) {
      const unit = document.createElement("span");
      unit.className = "rb-unit";
      unit.textContent = " (" + column.unit + ")";
      holder.append(unit);
    }
    if (column.privacy) {
      const privacy = document.createElement("span");
      privacy.className = "rb-privacy";
      privacy.textContent = " " + column.privacy;
      holder.append(privacy);
    }
    return holder;
  }

  function columnOf(column, place, data) {
    const name = column.unit ? column.label + " (" + column.unit + ")" : column.label;
    return {
      field: "c" + place,
      title: "",
      titleFormatter: () => title(column),
      hozAlign: column.align,
      headerHozAlign: column.align,
      frozen: place === data.header && place === 0,
      minWidth: 84,
      formatter: (cell) => cellContent(column, cell.getData().id),
      sorter: (a, b, first, second, _column, direction) =>
        compare(column, first.getData().id, second.getData().id, direction),
      headerFilter: "input",
      headerFilterPlaceholder: column.number
        ? data.words.atLeast : data.words.contains,
      headerFilterParams: {
        elementAttributes: {
          "aria-label": data.words.filter.replace("%(column)s", name),
        },
      },
      headerFilterFunc: (wanted, _value, row) => passes(column, wanted, row.id),
    };
  }

  function keepTrue(table, element, data, status) {
    const shown = table.getDataCount("active");
    const grid = element.querySelector(".tabulator[role=grid]") || table.element;
    grid.setAttribute("aria-rowcount", String(shown + 1));
    grid.setAttribute("aria-colcount", String(data.columns.length));
    table.getRows("visible").forEach((row) => {
      row.getElement().setAttribute("aria-rowindex", String(row.getPosition() + 1));
    });
    status.textContent = data.words.shown
      .replace("%(shown)s", shown.toLocaleString("en"))
      .replace("%(total)s", data.total.toLocaleString("en"));
  }

  function upgrade(element) {
    const island = document.getElementById(element.dataset.source);
    const data = JSON.parse(island.textContent);
    const count = data.columns[0].texts.length;
    data.columns.forEach((column) => { column.words = data.words; });
    // Built unseen in the place of the drawn page, so that nothing moves.
    const live = document.createElement("div");
    live.className = "rb-grid-live";
    const place = document.createElement("div");
    place.className = "rb-tabulator-place";
    const host = document.createElement("div");
    host.className = "rb-tabulator";
    const bar = document.createElement("div");
    bar.className = "rb-grid-bar";
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "rb-button";
    clear.textContent = data.words.clear;
    const help = document.createElement("span");
    help.className = "rb-help";
    help.textContent = data.words.help;
    bar.append(status, help, clear);
    place.append(host);
    live.append(bar, place);
    element.prepend(live);
    const table = new window.Tabulator(host, {
      data: Array.from({ length: count }, (_, id) => ({ id })),
      columns: data.columns.map((column, index) => columnOf(column, index, data)),
      layout: "fitDataFill",
      height: "100%",
      placeholder: data.words.none,
      headerSortElement: "",
      columnHeaderSortMulti: true,
    });
    host.setAttribute("aria-label", data.name);
    clear.addEventListener("click", () => table.clearHeaderFilter());
    const keep = () => keepTrue(table, element, data, status);
    table.on("tableBuilt", () => {
      element.classList.add("rb-live");
      // What scrolls takes the focus, so it is the group of rows, and has the name.
      const body = host.querySelector(".tabulator-tableholder");
      body.setAttribute("role", "rowgroup");
      body.setAttribute("aria-label", data.name);
      body.querySelector(".tabulator-table").setAttribute("role", "presentation");
      host.removeAttribute("aria-owns");
      keep();
    });
    table.on("dataFiltered", () => setTimeout(keep, 0));
    table.on("dataSorted", () => setTimeout(keep, 0));
    table.on("scrollVertical", () => requestAnimationFrame(keep));
  }

  window.SignalboxBlocks.upgrades.grid = upgrade;
})();
