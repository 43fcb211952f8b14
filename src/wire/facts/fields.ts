import type { Route } from '../../domain/candidate.ts';
import { isAbsent, type JsonObject } from './checks.ts';

/**
 * How a known top-level member bears on money. `harmless` changes no bound; `priced` is read and counted elsewhere in this
 * folder; `unbounded` makes a cost that we cannot bound by ourselves, and is reported like a hosted tool.
 * What is not in the list of its dialect is unknown, and refused where money is limited.
 */
export type FieldClass = 'harmless' | 'priced' | 'unbounded';
type Fields = Readonly<Record<string, FieldClass>>;

function classed(kind: FieldClass, names: string): Fields {
  return Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, kind]),
  );
}

/** OpenAI's API, both routes that answer with text. */
const COMMON: Fields = {
  ...classed(
    'harmless',
    `metadata parallel_tool_calls prompt_cache_key prompt_cache_retention prompt_cache_options safety_identifier store stream
     temperature top_logprobs top_p user verbosity moderation client_metadata`,
  ),
  ...classed('priced', 'model tools tool_choice service_tier reasoning stream_options models provider cache_control'),
};

/** OpenRouter: routing, transforms, session and trace labels. `reasoning` and `usage` only say what is reported. */
const OPENROUTER: Fields = {
  ...classed('harmless', 'transforms route usage include_reasoning session_id trace'),
  ...classed('unbounded', 'plugins'),
};

const CHAT: Fields = {
  ...COMMON,
  ...OPENROUTER,
  ...classed('harmless', 'frequency_penalty function_call logit_bias logprobs presence_penalty seed stop'),
  ...classed(
    'priced',
    `messages functions max_completion_tokens max_tokens modalities audio n prediction reasoning_effort response_format`,
  ),
  // Groq, Mistral, DeepSeek, xAI, Together, Fireworks, Perplexity.
  ...classed(
    'harmless',
    `reasoning_format include_reasoning disable_tool_validation citation_options safe_prompt prompt_mode random_seed
     deferred return_citations top_k min_p top_a typical_p repetition_penalty return_images return_related_questions
     context_length_exceeded_behavior prompt_truncate_len perf_metrics_in_response clear_thinking do_sample request_id`,
  ),
  ...classed('priced', 'thinking enable_thinking thinking_budget documents'),
  ...classed('unbounded', 'web_search_options search_parameters search_settings enable_search compound_custom'),
  // vLLM, SGLang, llama.cpp, Ollama.
  ...classed(
    'harmless',
    `guided_json guided_regex guided_choice guided_grammar guided_decoding_backend guided_whitespace_pattern structured_outputs
     add_generation_prompt add_special_tokens continue_final_message include_stop_str_in_output length_penalty min_tokens
     priority return_token_ids return_tokens_as_token_ids skip_special_tokens spaces_between_special_tokens stop_token_ids
     truncate_prompt_tokens early_stopping ignore_eos keep_alive cache_prompt mirostat mirostat_eta mirostat_tau
     allowed_token_ids bad_words`,
  ),
  ...classed('priced', 'chat_template_kwargs think'),
};

const RESPONSES: Fields = {
  ...COMMON,
  ...OPENROUTER,
  ...classed('harmless', 'include truncation background context_management'),
  ...classed('priced', 'input instructions max_output_tokens max_tool_calls text previous_response_id conversation prompt'),
  ...classed('harmless', 'top_k min_p repetition_penalty frequency_penalty presence_penalty seed'),
  ...classed('priced', 'thinking enable_thinking'),
  ...classed('unbounded', 'search_parameters web_search_options'),
};

const EMBEDDINGS: Fields = {
  ...classed(
    'harmless',
    `encoding_format dimensions user input_type truncation truncate output_dimension output_dtype task task_type
     late_chunking normalized embedding_type encoding_type metadata truncate_prompt_tokens add_special_tokens priority keep_alive`,
  ),
  ...classed('priced', 'model input models provider instruction prompt_name'),
};

/** The closed list of known members, by route. */
export const FIELDS: Readonly<Record<Route, Fields>> = { chat: CHAT, responses: RESPONSES, embeddings: EMBEDDINGS };

/** Sorts the members of a body that this dialect does not know, and those whose cost has no bound. Null members count for nothing. */
export function sortFields(route: Route, value: JsonObject, unknown: string[], unbounded: string[]): void {
  const fields = FIELDS[route];
  for (const name in value) {
    if (isAbsent(value[name])) continue;
    // `hasOwn`, because a body may name a member `constructor`.
    const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (kind === undefined) unknown.push(name);
    else if (kind === 'unbounded' && value[name] !== false) unbounded.push(name);
  }
}
