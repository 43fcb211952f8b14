import type { ImageBound } from './profile.ts';

/**
 * OpenAI's guide to images gives two ways of counting, by model; new models join either without notice, so both are
 * computed and the larger counts. gpt-4o-mini is billed far more tokens than it sees, so it stands alone.
 */
const TILE = { pixels: 512, base: 85, each: 170, miniBase: 2_833, miniEach: 5_667 };
/** After scaling to fit 2,048 x 2,048 and then to a short side of 768 there are at most 2 x 4 tiles. */
const MAX_TILES = 8;
/** Patches of 32 pixels; 2.46 is the largest multiplier of the guide (gpt-4.1-nano), 10,000 its largest budget (`detail: original`). */
const PATCH = { pixels: 32, multiplier: 2.46, maxPatches: 10_000 };

function tiles(width: number | null, height: number | null): number {
  if (width === null || height === null) return MAX_TILES;
  // Scaling down only lowers the number, so counting unscaled tiles is a bound until the cap.
  return Math.min(MAX_TILES, Math.ceil(width / TILE.pixels) * Math.ceil(height / TILE.pixels));
}

function patches(width: number | null, height: number | null): number {
  if (width === null || height === null) return PATCH.maxPatches;
  return Math.min(PATCH.maxPatches, Math.ceil(width / PATCH.pixels) * Math.ceil(height / PATCH.pixels));
}

/** The bound for models of OpenAI. `detail: low` is not trusted: models that count by patches do not know it. */
export const openaiImageTokens: ImageBound = (model, width, height, detail) => {
  if (/4o-mini/i.test(model)) {
    return TILE.miniBase + (detail === 'low' ? 0 : TILE.miniEach * tiles(width, height));
  }
  // One tile and one patch more than the size asks for: scaling up a small image may add them.
  const byTiles = TILE.base + TILE.each * Math.min(MAX_TILES, tiles(width, height) + 1);
  return Math.max(byTiles, Math.ceil((patches(width, height) + 1) * PATCH.multiplier));
};

/** Anthropic's guide to vision: width x height / 750, scaled down to 1,568 pixels a side (2,576 for its newest models): under 9,000. */
const ANTHROPIC_MAX = 9_000;
/** The bound for models of Anthropic. */
export const anthropicImageTokens: ImageBound = (_model, width, height) =>
  width === null || height === null ? ANTHROPIC_MAX : Math.min(ANTHROPIC_MAX, Math.ceil((width * height) / 750) + 64);

/** Measured: llama-4 on Groq bills 2,500 for a large picture; the densest patch of any model that we know of is 14 x 14 pixels. */
const DENSEST_PATCH_PIXELS = 14;
/** The tokens that a small image may be scaled up to before it is cut into patches. */
const SMALLEST_BOUND = 4_096;
/** The cautious bound: a token for each of the densest patches. There is none for an image of unknown size. */
export const cautiousImageTokens: ImageBound = (_model, width, height) =>
  width === null || height === null
    ? null
    : Math.max(SMALLEST_BOUND, Math.ceil(width / DENSEST_PATCH_PIXELS) * Math.ceil(height / DENSEST_PATCH_PIXELS));
