/** How the report looks: light or dark as the reader's system is, black on white on paper. */

const light = '--background:#fff;--ink:#1f1f1f;--muted:#5a5a5a;--grid:#e3e3e3;--panel:#f6f6f6;';
const dark = '--background:#1f1f1f;--ink:#e8e8e8;--muted:#a8a8a8;--grid:#3a3a3a;--panel:#292929;';

export const reportStyle = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
@media print{:root{color-scheme:light;${light}}}
body{margin:0;background:var(--background);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}
main{max-width:1240px;margin:0 auto;padding:28px 24px 60px}
h1{margin:0;font-size:24px;overflow-wrap:anywhere}
h2{margin:36px 0 8px;font-size:18px}
h3{margin:18px 0 4px;font-size:15px;overflow-wrap:anywhere}
p{margin:6px 0}
.about{color:var(--muted);overflow-wrap:anywhere}
.verdict{font-size:18px;font-weight:600;overflow-wrap:anywhere}
ul{margin:6px 0;padding-left:20px}
li{overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:4px 12px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid);max-width:260px;overflow-wrap:break-word}
thead th{color:var(--muted);font-weight:500}
tbody th{font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,520px),1fr));gap:28px 32px}
figure{margin:0}
section>figure{max-width:640px;margin-top:14px}
figure svg{width:100%;height:auto;display:block}
figcaption{margin-top:6px;color:var(--muted);font-size:13px}
figcaption b{color:var(--ink)}
details{margin:6px 0}
summary{cursor:pointer;overflow-wrap:anywhere}
pre{margin:6px 0;padding:10px 12px;background:var(--panel);border-radius:4px;font-size:12px;line-height:1.4;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:14px}
.sample{font-size:12px}
.sample div{display:flex;gap:6px}
.sample img{width:92px;height:92px;object-fit:contain;image-rendering:pixelated;background:var(--panel)}
.sample p{margin:3px 0;color:var(--muted);overflow-wrap:anywhere}
.token{padding:0 2px}
.hidden{background:var(--grid);color:var(--muted);text-decoration:line-through}
@media print{details{display:none}.wide{overflow:visible}figure,tr{break-inside:avoid}}
`;
