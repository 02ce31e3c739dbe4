// Draws the `mermaid` and `marble` blocks of the Markdown files when the site is built, so that the browser needs no
// program for it. What follows this word in the first line of a block describes its picture.
import { parseMarbleDiagramSpecification } from '@swirly/parser';
import { renderMarbleDiagram } from '@swirly/renderer-node';
import { renderMermaidSVG } from 'beautiful-mermaid';

// The colors are those of the theme, so that the pictures follow the light and the dark one.
const BACKGROUND = 'var(--vp-c-bg)';
const INK = 'var(--vp-c-text-1)';

const MERMAID = {
  bg: BACKGROUND,
  fg: INK,
  muted: 'var(--vp-c-text-2)',
  line: 'var(--vp-c-text-3)',
  transparent: true,
};

const MARBLE = {
  arrow_stroke_color: INK,
  background_color: BACKGROUND,
  completion_stroke_color: INK,
  error_color: INK,
  event_stroke_color: INK,
  event_value_font_size: 14,
  operator_fill_color: BACKGROUND,
  operator_stroke_color: INK,
  operator_title_color: INK,
  operator_title_font_size: 14,
  minimum_width: 420,
};

const DRAW = {
  // The pictures of this tool load a font from Google. The site asks nobody.
  mermaid: (text) => renderMermaidSVG(text, MERMAID).replaceAll(/@import url\([^)]*\);/g, ''),
  marble: (text) => renderMarbleDiagram(parseMarbleDiagramSpecification(text), { styles: MARBLE }).xml,
};

/** A plugin for markdown-it. */
export function diagrams(md) {
  const { escapeHtml } = md.utils;
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index];
    const [, language, description] = /^(mermaid|marble) (.+)/.exec(info) ?? [];
    if (language === undefined) return fence(tokens, index, ...rest);
    const html = escapeHtml(JSON.stringify(DRAW[language](content)));
    return `<div class="diagram" role="img" aria-label="${escapeHtml(description)}" v-html="${html}"></div>\n`;
  };
}
