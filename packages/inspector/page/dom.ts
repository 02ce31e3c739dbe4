// The little that the page needs to change its document. All texts go in as text, never as HTML.

/** Returns the element with this id, which index.html has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** Makes an element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { text, className }: { readonly text?: string; readonly className?: string } = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** Sets a text, but only if it is another one: a reader's selection stays. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets where an anchor leads: nowhere if it is empty, so that it is no link then. */
export function setLink(anchor: Element, target: string): void {
  if (target === '') anchor.removeAttribute('href');
  else if (anchor.getAttribute('href') !== target) anchor.setAttribute('href', target);
}

/** Shows facts in a list of terms. The order of the terms is always the same for one list. */
export function setFacts(list: HTMLElement, facts: Readonly<Record<string, string>>): void {
  const entries = Object.entries(facts);
  if (list.children.length !== entries.length) {
    list.replaceChildren(...entries.map(() => makeFact()));
  }
  for (const [index, [term, value]] of entries.entries()) {
    const [dt, dd] = list.children[index]!.children;
    setText(dt!, term);
    setText(dd!, value === '' ? '–' : value);
  }
}

function makeFact(): HTMLElement {
  const fact = make('div');
  fact.append(make('dt'), make('dd'));
  return fact;
}

/** Shows lines in a list, and keeps the elements of those that stay. */
export function setLines<L>(list: HTMLElement, lines: readonly L[], show: (item: HTMLElement, line: L) => void): void {
  while (list.children.length > lines.length) list.lastElementChild!.remove();
  while (list.children.length < lines.length) list.append(make('li'));
  for (const [index, line] of lines.entries()) show(list.children[index] as HTMLElement, line);
}
