/** Sets the page's language from the bundle that the extension has put into it. */
import { type Bundle, setLanguage } from '../src/core/l10n.ts';

const bundle = document.getElementById('dashboard')?.dataset.l10n;
if (bundle) setLanguage(JSON.parse(bundle) as Bundle);
