// The colours that were chosen, before anything is painted.
const KEY = "playground colours";

const root = document.documentElement;
const chosen = localStorage.getItem(KEY);
if (chosen === "light" || chosen === "dark") root.dataset["theme"] = chosen;

document.addEventListener("DOMContentLoaded", () => {
  for (const input of document.querySelectorAll<HTMLInputElement>("#theme input")) {
    input.checked = input.value === (chosen ?? "auto");
    input.addEventListener("change", () => {
      if (input.value === "auto") {
        localStorage.removeItem(KEY);
        delete root.dataset["theme"];
      } else {
        localStorage.setItem(KEY, input.value);
        root.dataset["theme"] = input.value;
      }
    });
  }
});

// A tab in a frame follows the page.
addEventListener("storage", ({ key, newValue }) => {
  if (key !== KEY) return;
  if (newValue === null) delete root.dataset["theme"];
  else root.dataset["theme"] = newValue;
});
