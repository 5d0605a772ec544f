// The search box: suggestions while one types, as a combobox with a list box (ARIA APG). Without it the form works as any form does.
(() => {
  "use strict";
  const PAUSE_MS = 120;
  const form = document.querySelector("[data-search]");
  if (!form) return;
  const box = form.querySelector("input");
  const list = form.querySelector("[role=listbox]");
  const told = form.querySelector("[data-search-told]");
  let timer;
  let asked;
  let active = -1;

  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-expanded", "false");

  const options = () => [...list.querySelectorAll("[data-url]")];

  const close = () => {
    list.hidden = true;
    active = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };

  const choose = (place) => {
    const found = options();
    active = found.length ? (place + found.length) % found.length : -1;
    found.forEach((option, number) => option.setAttribute("aria-selected", String(number === active)));
    if (active < 0) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", found[active].id);
    found[active].scrollIntoView({ block: "nearest" });
  };

  const ask = async () => {
    asked?.abort();
    const text = box.value.trim();
    if (!text) return close();
    asked = new AbortController();
    try {
      const url = `${form.dataset.search}?${new URLSearchParams({ q: text })}`;
      const response = await fetch(url, { credentials: "same-origin", signal: asked.signal });
      if (!response.ok || response.redirected) return close();
      list.innerHTML = await response.text();
      list.hidden = false;
      active = -1;
      box.setAttribute("aria-expanded", "true");
      box.removeAttribute("aria-activedescendant");
      told.textContent = told.dataset.count.replace("0", String(options().length));
    } catch (failure) {
      if (failure.name !== "AbortError") close();
    }
    return undefined;
  };

  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
  box.addEventListener("keydown", (event) => {
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return ask();
      choose(event.key === "ArrowDown" ? active + 1 : active < 0 ? -1 : active - 1);
    } else if (event.key === "Escape") {
      if (isOpen) close();
      else box.value = "";
      event.preventDefault();
    } else if (event.key === "Enter" && isOpen && active >= 0) {
      event.preventDefault();
      window.location.assign(options()[active].dataset.url);
    } else if (event.key === "Tab") {
      close();
    }
    return undefined;
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  list.addEventListener("click", ({ target }) => {
    const option = target.closest("[data-url]");
    if (option) window.location.assign(option.dataset.url);
  });
  box.addEventListener("blur", close);
})();
