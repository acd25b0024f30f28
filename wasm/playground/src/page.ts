// The elements of the page.

/** The element with this id. */
export function element<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as unknown as T;
}

/** A new element. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: { text?: string; class?: string } = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (properties.class) made.className = properties.class;
  if (properties.text !== undefined) made.textContent = properties.text;
  made.append(...children);
  return made;
}

/** Says something to those who do not see the page. */
export function announce(text: string): void {
  element("live").textContent = text;
}

/** A time of day, to the second. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour12: false });
}
