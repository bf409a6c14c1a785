/** The editor's theme as the canvas needs it: resolved colours and fonts, read again whenever the theme changes. */

export interface Theme {
  readonly baseline: string;
  readonly method: string;
  readonly both: string;
  readonly text: string;
  readonly background: string;
  readonly error: string;
  readonly grid: string;
  readonly cursor: string;
  readonly font: string;
  /** Light signs on a dark ground. */
  readonly dark: boolean;
  readonly highContrast: boolean;
  /** Width of a main line, in pixels: broader in high contrast. */
  readonly line: number;
  /** Share of a colour that raw values behind an average keep. */
  readonly faint: number;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const names = document.body.className;
  const highContrast = /vscode-high-contrast/.test(names);
  return {
    baseline: color('--masksub-baseline'),
    method: color('--masksub-method'),
    both: color('--vscode-charts-foreground'),
    text: color('--masksub-muted'),
    background: color('--vscode-editor-background'),
    error: color('--vscode-errorForeground'),
    grid: color('--masksub-grid'),
    cursor: color('--vscode-charts-foreground'),
    font: style.fontFamily,
    dark: /vscode-dark|vscode-high-contrast(?!-light)/.test(names) && !/vscode-high-contrast-light/.test(names),
    highContrast,
    line: highContrast ? 2.5 : 1.75,
    faint: highContrast ? 0.45 : 0.28,
  };
}

/** Calls back after each change of the theme: the editor then changes the body's class and the root's variables. */
export function watchTheme(changed: () => void): void {
  const observer = new MutationObserver(() => requestAnimationFrame(changed));
  observer.observe(document.body, { attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributeFilter: ['style', 'class'] });
}
