// A plot of a few values over time, which moves to the left.
import uPlot from 'uplot';
import { make, setText } from './dom.js';
import { clock } from './format.js';

/** How many points a plot shows: two and a half minutes at four a second. */
const MOST_POINTS = 600;
const HEIGHT = 150;
/** The least value that a plot has room for, so that a few bytes do not look like many. */
const LEAST_RANGE = 1000;
/** The distances of the times below a plot, in seconds. */
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];

/** One line of a plot. */
export interface Line {
  readonly label: string;
  /** The CSS variable with its colour. */
  readonly colour: string;
  readonly isDashed?: boolean;
}

export class Plot {
  readonly #title: string;
  readonly #lines: readonly Line[];
  readonly #format: (value: number) => string;
  readonly #data: [number[], ...number[][]];
  readonly #plot: uPlot;
  readonly #caption = make('figcaption');

  /**
   * @param parent Where the plot is; it gets the width of this element.
   * @param format Shows a value with its unit.
   */
  constructor(parent: HTMLElement, title: string, lines: readonly Line[], format: (value: number) => string) {
    this.#title = title;
    this.#lines = lines;
    this.#format = format;
    this.#data = [[], ...lines.map(() => [])];
    const figure = make('figure');
    figure.append(this.#caption);
    parent.append(figure);
    // Functions, so that the colours follow a change between light and dark.
    const colour = (name: string) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    this.#plot = new uPlot(
      {
        width: Math.max(1, parent.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, _least, most) => [0, Math.max(most, LEAST_RANGE)] } },
        axes: [
          { ...axis, space: 80, incrs: SECONDS, values: (_, ticks) => ticks.map((tick) => clock(tick * 1000)) },
          { ...axis, size: 70, values: (_, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          ...lines.map(({ label, colour: name, isDashed }) => ({
            label,
            stroke: colour(name),
            width: 2,
            points: { show: false },
            ...(isDashed ? { dash: [6, 4] } : {}),
          })),
        ],
      },
      this.#data,
      figure,
    );
    // The caption says the same in words.
    this.#plot.root.setAttribute('aria-hidden', 'true');
    new ResizeObserver(() => {
      if (parent.clientWidth > 0) this.#plot.setSize({ width: parent.clientWidth, height: HEIGHT });
    }).observe(parent);
  }

  /** Adds a point. @param time In milliseconds. */
  add(time: number, ...values: number[]): void {
    for (const [index, value] of [time / 1000, ...values].entries()) {
      const column = this.#data[index]!;
      column.push(value);
      if (column.length > MOST_POINTS) column.shift();
    }
    this.#plot.setData(this.#data);
    const words = this.#lines.map(({ label, isDashed }, index) => {
      return `${label}${isDashed ? ' (dashed)' : ''} ${this.#format(values[index] ?? 0)}`;
    });
    setText(this.#caption, `${this.#title}: ${words.join(', ')}`);
  }

  clear(): void {
    for (const column of this.#data) column.length = 0;
    this.#plot.setData(this.#data);
    setText(this.#caption, this.#title);
  }
}
