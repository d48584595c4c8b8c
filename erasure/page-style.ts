/** Sober on a screen, whole on A4: no row is cut in two, and a table's head is on each of its pages. */
export const pageStyle = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 12mm 10mm; max-width: 210mm; background: #fff; color: #1c1c1c;
  font: 10pt/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 19pt; font-weight: 600; }
h2 { margin: 7mm 0 2mm; font-size: 12pt; font-weight: 600; break-after: avoid; }
header p { margin: 1mm 0 0; color: #555; }
.banner { margin: 5mm 0 0; padding: 3mm 4mm; border: 1px solid; border-left-width: 5px; }
.banner.final { border-color: #1b6e3c; background: #f0f8f2; }
.banner.provisional { border-color: #9a6700; background: #fff9e8; }
ul { margin: 0; padding-left: 5mm; }
li { margin: 0.8mm 0; }
table { width: 100%; border-collapse: collapse; font-size: 8.5pt; }
th, td { padding: 1.2mm 3mm 1.2mm 0; border-bottom: 1px solid #d4d4d4; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
thead th { border-bottom: 1px solid #1c1c1c; font-weight: 600; overflow-wrap: normal; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.facts th { width: 45mm; font-weight: 600; }
.number { padding-right: 4mm; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font: 8pt ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.verdict { font-weight: 600; white-space: nowrap; }
.verdict.clean { color: #1b6e3c; }
.verdict.found { color: #a40e26; }
.verdict.not-scanned { color: #7a5200; }
@page { size: A4; margin: 16mm 14mm; }
@media print {
  body { padding: 0; max-width: none; }
  .banner { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
