/** A page of the dashboard: what one of its tabs shows. */
import type { DashboardState } from './state.ts';

export interface Page {
  /** Its tab's id is `tab-<id>`, its panel's `page-<id>`. */
  readonly id: string;
  /** The tab's label. */
  readonly title: string;
  readonly root: HTMLElement;
  /** After each message, and when it comes to the front; not while another page is shown. */
  update(state: DashboardState): void;
}
