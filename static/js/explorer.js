// The explorer: applies every choice at once, offers values while one types, follows clicks into a figure, saves it as a picture.
(() => {
  "use strict";
  const form = document.querySelector("[data-explorer]");
  if (!form) return;
  const values = document.currentScript.dataset.values;

  // --- the form
  const days = form.querySelector("[data-custom-days]");
  const period = form.elements.namedItem("period");
  const isCustom = () => period.value === "custom";
  const showDays = () => {
    days.hidden = !isCustom();
    for (const input of days.querySelectorAll("input")) input.disabled = !isCustom();
  };
  const isWhole = () => !isCustom() || [...days.querySelectorAll("input")].every((input) => input.value);
  const apply = () => isWhole() && form.requestSubmit();
  form.querySelector("[data-apply]").hidden = !form.querySelector("[aria-invalid]");
  form.addEventListener("submit", () => {
    for (const input of form.querySelectorAll("[data-offering] input")) input.disabled = !input.value.trim();
  });
  window.addEventListener("pageshow", () => {
    for (const input of form.querySelectorAll("[data-offering] input")) input.disabled = false; // back from another page
  });
  document.addEventListener("change", ({ target }) => {
    if (target.form !== form) return;
    showDays();
    if (!target.closest("[data-offering]")) apply();
  });
  showDays();
  const question = document.querySelector("[data-question]");
  question.open = Boolean(window.matchMedia("(min-width: 1000px)").matches || form.querySelector("[aria-invalid]"));
  question.dataset.settled = ""; // until then the style sheet keeps a phone's first paint folded

  // --- values offered while one types: a combobox for the last of several
  const lastOf = (text) => {
    let quoted = false;
    let start = 0;
    [...text].forEach((mark, place) => {
      if (mark === '"') quoted = !quoted;
      if (mark === "," && !quoted) start = place + 1;
    });
    return start;
  };

  const offering = (field) => {
    const input = field.querySelector("input");
    const list = document.createElement("ul");
    list.className = "offers";
    list.id = `offers-${input.id}`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", field.querySelector("label").textContent);
    field.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);
    const before = input.value;
    let chosen = -1;
    let timer;
    let asked = 0;

    const close = () => {
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const choose = (place) => {
      chosen = (place + list.children.length) % list.children.length;
      [...list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === chosen)));
      input.setAttribute("aria-activedescendant", list.children[chosen].id);
      list.children[chosen].scrollIntoView({ block: "nearest" });
    };
    const take = (row) => {
      const start = lastOf(input.value);
      input.value = `${input.value.slice(0, start)}${start ? " " : ""}${row.dataset.value}`;
      close();
      apply();
    };
    const row = (offer, place) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${place}`;
      item.dataset.value = offer.value;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      for (const [name, text] of [["name", offer.title], ["cost", offer.cost]]) {
        const part = document.createElement(name === "name" ? "bdi" : "span");
        part.className = `offers__${name}`;
        part.textContent = text;
        item.append(part);
      }
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(item);
      });
      return item;
    };
    const offer = async () => {
      const mine = (asked += 1);
      const question = new URLSearchParams(window.location.search);
      question.set("dimension", field.dataset.offering);
      question.set("q", input.value.slice(lastOf(input.value)).trim());
      try {
        const response = await fetch(`${values}?${question}`, { headers: { Accept: "application/json" } });
        if (!response.ok || response.redirected || mine !== asked) return;
        const found = (await response.json()).values;
        list.replaceChildren(...found.map(row));
        chosen = -1;
        list.hidden = found.length === 0 || document.activeElement !== input;
        input.setAttribute("aria-expanded", String(!list.hidden));
        list.scrollIntoView({ block: "nearest" });
      } catch (failure) {
        console.warn(failure); // it stays a plain field
      }
    };
    const keys = {
      ArrowDown: () => (list.hidden ? offer() : choose(chosen + 1)),
      ArrowUp: () => !list.hidden && choose(chosen < 0 ? -1 : chosen - 1),
      Enter: () => (chosen >= 0 ? take(list.children[chosen]) : apply()),
      Escape: close,
    };
    input.addEventListener("focus", offer);
    input.addEventListener("input", () => {
      asked += 1; // what is still on its way answers another text
      close();
      clearTimeout(timer);
      timer = setTimeout(offer, 150);
    });
    input.addEventListener("keydown", (event) => {
      if (!(event.key in keys)) return;
      if (event.key !== "Escape") event.preventDefault();
      keys[event.key]();
    });
    input.addEventListener("blur", () => {
      close();
      if (input.value.trim() !== before.trim()) apply();
    });
  };
  for (const field of form.querySelectorAll("[data-offering]")) offering(field);

  // --- folded forms close when one looks elsewhere
  const folded = [...document.querySelectorAll("[data-folded]")];
  document.addEventListener("click", ({ target }) => {
    for (const one of folded) if (!one.contains(target)) one.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") for (const one of folded) one.open = false;
  });

  // --- the figure: a click leads on, a button saves it
  const leads = (point) => {
    const { meta } = point.data ?? {};
    if (meta?.rows) return meta.rows[point.pointNumber?.[0]];
    return (Array.isArray(point.customdata) ? point.customdata[0] : point.customdata) ?? meta?.link;
  };
  const picture = document.querySelector("[data-picture]");
  document.addEventListener("figuredrawn", ({ target, detail: { plot, library } }) => {
    if (target.id !== "figure-explorer" || !picture.hidden) return; // once, though it may be drawn again
    const follow = ({ points }) => {
      const address = points?.[0] && leads(points[0]);
      if (address) window.location.assign(address);
      return false; // no zooming into rectangles and rings: the page does it
    };
    for (const event of ["plotly_click", "plotly_treemapclick", "plotly_sunburstclick"]) plot.on(event, follow);
    picture.hidden = false;
    picture.addEventListener("click", async () => {
      const style = getComputedStyle(document.documentElement);
      const layout = {
        ...plot.layout,
        width: Math.max(plot.clientWidth, 900),
        height: plot.clientHeight + 60,
        paper_bgcolor: style.getPropertyValue("--surface").trim(),
        title: { text: picture.dataset.title, x: 0.01, xanchor: "left", font: { size: 15, color: style.getPropertyValue("--ink").trim() } },
        margin: { ...plot.layout.margin, t: 64 },
      };
      const image = await library.toImage({ data: plot.data, layout }, { format: "png", scale: 2, width: layout.width, height: layout.height });
      const link = document.createElement("a");
      link.href = image;
      link.download = `${picture.dataset.picture}.png`;
      link.click();
    });
  });
})();
