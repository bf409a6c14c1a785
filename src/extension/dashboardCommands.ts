/** What a person asks for in the dashboard that is a command of the extension. */
import type { FromDashboard } from '../core/messages.ts';

/** The command, without `masksub.`, and what it is given; nothing for a message that the dashboard answers by itself. */
export function commandOf(message: FromDashboard): readonly [command: string, ...given: unknown[]] | undefined {
  switch (message.type) {
    case 'start':
      return ['start'];
    case 'showRunFolder':
    case 'openSummary':
    case 'reproduce':
      return [message.type, message.run];
    case 'fork':
      return ['fork', message.run, message.step];
    case 'diffConfigs':
      return ['compareConfigs', message.a, message.b];
    case 'export':
      return ['export', { runs: message.runs, charts: message.charts, axis: message.axis }];
    default:
      return undefined;
  }
}
