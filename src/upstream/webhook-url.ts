import { Refusal } from '../domain/errors.ts';
import { addressProblem } from './base-url.ts';

/**
 * An operator's webhook URL as it is sent to, or why it is refused. Scheme and host are judged as those of a provider
 * (`checkBaseUrl`); unlike a base URL it may have a path and a query of any kind. The refusal does not repeat the URL: it is a secret.
 */
export function checkWebhookUrl(text: string, options: { readonly allowHttp: boolean }): URL | Refusal {
  if (text.length > 2_048 || /[^!-~]|\\/.test(text)) return refuse('It may hold visible ASCII characters only, and no backslash.');
  if (text.includes('#')) return refuse('It must have no fragment.');
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text))
    return refuse('It must be an absolute https URL, like https://alerts.example.com/panicly.');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return refuse('It must hold no user name and no password.');
  const problem = addressProblem(url, options.allowHttp);
  return problem === null ? url : refuse(problem);
}

function refuse(why: string): Refusal {
  return new Refusal('invalid_value', `This webhook URL cannot be used. ${why}`, { param: 'url' });
}
