import { baseName } from './harmonize.ts';
import { rememberByName } from './remember.ts';

/**
 * Models that reason without being asked, by their base name. Only the floor of an injected cap hangs on it: a name too many
 * costs a larger hold, a name too few an answer that is cut while the model still thinks.
 */
const REASONS =
  /^(?:o[1-9](?:-|$)|gpt-5(?!.*chat)|gpt-oss|codex|deepseek-(?:r\d|reasoner|v[4-9])|grok-(?:[3-9]|code|build)|qwq|qvq|qwen3|magistral|gemini-(?:2\.5|[3-9]|pro-latest|flash-latest)|kimi-k2|glm-(?:4\.[5-9]|[5-9])|minimax-m|mimo|nemotron|claude-fable|sonar-reasoning)|reason|think/i;

/** Whether a model reasons by itself, as far as its name tells. */
export const reasonsByItself = rememberByName((id) => REASONS.test(baseName(id)));
