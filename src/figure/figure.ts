/** What a figure shows, in numbers and words; `drawing.ts` makes a picture of it. */

/** One line of a figure. Values that are not finite leave a gap. */
export interface FigureSeries {
  readonly label: string;
  /** Place in the table of run styles. */
  readonly slot: number;
  /** The sub-branch of a run, or masked inputs: drawn dashed. */
  readonly dashed: boolean;
  /** Ascending. */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** What lies around the line at each x: mean ± deviation over seeds, or lowest and highest value of the rows behind a point. */
  readonly band?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
  /** The values before smoothing, drawn faint behind the line. */
  readonly raw?: ArrayLike<number>;
  /** Where values are NaN or infinite. */
  readonly notFinite?: ArrayLike<number>;
}

/** `page`: colours by the variables of the page that holds the picture. */
export type FigureStyle = 'paper' | 'light' | 'dark' | 'page';

export interface FigureAxis {
  readonly title: string;
  /** A unit that is written in powers of ten or, for seconds and bytes, in larger units where numbers are large. */
  readonly unit: string;
  readonly log: boolean;
  /** The range to show; else that of the data. */
  readonly range?: readonly [number, number];
}

interface FigureText {
  readonly title: string;
  /** Sentences below the picture: what it shows and how it was computed. */
  readonly caption: string;
  /** Where the figure comes from; written into the file as JSON. */
  readonly metadata: unknown;
}

/** Lines over one axis. */
export interface Figure extends FigureText {
  readonly x: FigureAxis;
  readonly y: FigureAxis;
  readonly series: readonly FigureSeries[];
  /** A value of special meaning, drawn as a thin line. */
  readonly reference?: number;
}

/** Panels of cells over one axis, one below the other. */
export interface HeatFigure extends FigureText {
  readonly x: FigureAxis & { readonly range: readonly [number, number] };
  /** Panels of a scale are neighbours and share its legend. */
  readonly scales: readonly HeatScale[];
}

/** What the colours of some panels mean. */
export interface HeatScale {
  readonly title: string;
  readonly log: boolean;
  readonly domain: readonly [number, number];
  /** Red, green and blue of a share of the domain. */
  readonly color: (share: number) => readonly [number, number, number];
  /** Values below 0 get white dots: their colours are as dark as those above. */
  readonly marksNegative: boolean;
  readonly panels: readonly HeatPanel[];
}

export interface HeatPanel {
  readonly label: string;
  /** Of each row, from the top. */
  readonly names: readonly string[];
  /** Where the columns begin and the last one ends, ascending. */
  readonly edges: ArrayLike<number>;
  /** Of each row a value for each column; what is not finite stays empty. */
  readonly values: readonly ArrayLike<number>[];
}

export interface FigureLook {
  readonly style: FigureStyle;
  /** Width on paper, in centimetres. */
  readonly width: number;
  /** Without caption and title, for a page that says both itself. */
  readonly bare?: boolean;
}
