/** Limits of the messages (core/messages.ts), here once more: that module would bring zod into the page. A test holds them equal. */

export const MOST_RUNS = 12;
