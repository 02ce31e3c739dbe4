// A table whose rows change several times a second: a row keeps its elements, so that focus and selection stay.
import { make, setLink, setText } from './dom.js';

export interface Column<R> {
  readonly label: string;
  readonly text: (row: R) => string;
  /** The name of the order that this column gives; without one it does not sort. */
  readonly order?: string;
  /** Whether the first click brings the largest value to the top. */
  readonly isDescending?: boolean;
  /** `number` is aligned to the right; `wide` is not on a phone. */
  readonly className?: string;
  /** Where a click leads; nowhere if it is empty. */
  readonly link?: (row: R) => string;
}

export class Table<R extends { readonly id: number }> {
  readonly #columns: readonly Column<R>[];
  readonly #body = make('tbody');
  readonly #headers: HTMLElement[];
  readonly #rows = new Map<number, HTMLTableRowElement>();
  readonly #classOf: (row: R) => string;
  readonly #empty: HTMLTableRowElement;

  /**
   * @param classOf The class of a row.
   * @param onOrder Called when somebody asks for the order of a column.
   * @param whenEmpty What the table says without rows.
   */
  constructor(
    table: HTMLTableElement,
    columns: readonly Column<R>[],
    {
      whenEmpty,
      classOf = () => '',
      onOrder,
    }: {
      readonly whenEmpty: string;
      readonly classOf?: (row: R) => string;
      readonly onOrder?: (column: Column<R>) => void;
    },
  ) {
    this.#columns = columns;
    this.#classOf = classOf;
    this.#headers = columns.map((column) => {
      const header = make('th', { className: column.className ?? '' });
      header.scope = 'col';
      if (column.order && onOrder) {
        const button = make('button', { text: column.label });
        button.type = 'button';
        button.addEventListener('click', () => onOrder(column));
        header.append(button);
      } else {
        header.textContent = column.label;
      }
      return header;
    });
    const head = make('thead');
    const headRow = make('tr');
    headRow.append(...this.#headers);
    head.append(headRow);
    this.#empty = make('tr');
    const cell = make('td', { text: whenEmpty, className: 'empty' });
    cell.colSpan = columns.length;
    this.#empty.append(cell);
    table.append(head, this.#body);
    // A table that is wider than the page is scrolled by the keyboard, too.
    if (table.parentElement) table.parentElement.tabIndex = 0;
  }

  /** Shows in the header by which column the rows are ordered. */
  setOrder(order: string, isDescending: boolean): void {
    for (const [index, column] of this.#columns.entries()) {
      const header = this.#headers[index]!;
      if (column.order === order) header.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending');
      else header.removeAttribute('aria-sort');
    }
  }

  update(rows: readonly R[]): void {
    const focused = document.activeElement;
    const shown = new Set(rows.map(({ id }) => id));
    for (const [id, element] of this.#rows) {
      if (shown.has(id)) continue;
      element.remove();
      this.#rows.delete(id);
    }
    for (const [index, row] of rows.entries()) {
      const element = this.#rows.get(row.id) ?? this.#add(row);
      this.#show(element, row);
      if (this.#body.children[index] !== element) this.#body.insertBefore(element, this.#body.children[index] ?? null);
    }
    if (rows.length > 0) this.#empty.remove();
    else this.#body.append(this.#empty);
    // A row that was moved has lost the focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.#body.contains(focused))
      focused.focus({ preventScroll: true });
  }

  #add(row: R): HTMLTableRowElement {
    const element = make('tr');
    for (const { className = '', link } of this.#columns) {
      const cell = make('td', { className });
      if (link) cell.append(make('a'));
      element.append(cell);
    }
    this.#rows.set(row.id, element);
    return element;
  }

  #show(element: HTMLTableRowElement, row: R): void {
    const className = this.#classOf(row);
    if (element.className !== className) element.className = className;
    for (const [index, { text, link }] of this.#columns.entries()) {
      const cell = element.cells[index]!;
      const shown = text(row);
      setText(link ? cell.firstElementChild! : cell, shown);
      if (link) setLink(cell.firstElementChild!, link(row));
      if (cell.classList.contains('text') && cell.title !== shown) cell.title = shown;
    }
  }
}
