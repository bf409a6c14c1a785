/** The dashboard's page: a frame for the bundle, with a policy under which nothing else can run or load. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { escaped } from '../core/format.ts';

export function dashboardHtml(webview: vscode.Webview, dist: vscode.Uri): string {
  const nonce = randomBytes(16).toString('hex');
  const script = webview.asWebviewUri(vscode.Uri.joinPath(dist, 'webview.js'));
  const style = webview.asWebviewUri(vscode.Uri.joinPath(dist, 'webview.css'));
  // The controls set inline styles; scripts stay closed.
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource} 'unsafe-inline';`;
  const texts = escaped(JSON.stringify(vscode.l10n.bundle ?? {}));
  return `<!DOCTYPE html>
<html lang="${vscode.l10n.bundle ? escaped(vscode.env.language) : 'en'}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>MaskSub</title>
</head>
<body>
<main id="dashboard" data-l10n="${texts}"></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
