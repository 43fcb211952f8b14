import type { Flag, Place, Word } from './completion.ts';

/** For bash: words by place, values by place and flag. */
export function bashScript(places: readonly Place[]): string {
  return `_panicly() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${at:+$at }$word" in
      ${knownPaths(places)}) at=\${at:+$at }$word ;;
    esac
  done
  case "$at" in
${places.map((place) => `      '${place.path}') words='${wordsOf(place).join(' ')}' ;;\n`).join('')}  esac
  case "\${at:+$at }$previous" in
${valuesOf(places)
  .map(({ at, flag }) => `      '${at}') words='${flag.values.join(' ')}' ;;\n`)
  .join('')}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _panicly panicly
`;
}

/** For zsh: the same, with what the words mean. */
export function zshScript(places: readonly Place[]): string {
  const described = ({ verbs, flags }: Place) =>
    [...verbs, ...flags].map((word) => `'${quoted(`${word.name}:${word.meaning}`)}'`).join(' ');
  return `#compdef panicly
_panicly() {
  local at= word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
      ${knownPaths(places)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "\${at:+$at }\${words[CURRENT-1]}" in
${valuesOf(places)
  .map(({ at, flag }) => `      '${at}') compadd -- ${flag.values.join(' ')}; return ;;\n`)
  .join('')}  esac
  case "$at" in
${places.map((place) => `      '${place.path}') found=(${described(place)}) ;;\n`).join('')}  esac
  _describe -t commands panicly found
  _files
}
if [ "$funcstack[1]" = _panicly ]; then _panicly "$@"; else compdef _panicly panicly; fi
`;
}

/** For fish: a line for each word. Files are offered only where a command stands whole. */
export function fishScript(places: readonly Place[]): string {
  const paths = places.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  return `function __panicly_at
  set -l at
  for word in (commandline -opc)[2..-1]
    if contains -- (string join -- ' ' $at $word) ${paths.join(' ')}
      set at $at $word
    end
  end
  test "$at" = "$argv"
end
${places.map(fishLines).join('')}`;
}

function fishLines({ path, verbs, flags }: Place): string {
  const when = `complete -c panicly -n '__panicly_at ${path}'`;
  const verbLines = verbs.map((verb) => `${when} -f -a ${verb.name} -d '${fishQuoted(verb.meaning)}'\n`);
  const flagLines = flags.map((flag) => `${when} -l ${flag.name.slice(2)}${fishValues(flag)} -d '${fishQuoted(flag.meaning)}'\n`);
  return [...verbLines, ...flagLines].join('');
}

function fishValues({ takesValue, values }: Flag): string {
  if (values.length > 0) return ` -x -a '${values.join(' ')}'`;
  return takesValue ? ' -r' : '';
}

function knownPaths(places: readonly Place[]): string {
  return places.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`])).join('|');
}

function wordsOf({ verbs, flags }: Place): string[] {
  return [...verbs, ...flags].map(({ name }: Word) => name);
}

function valuesOf(places: readonly Place[]): { readonly at: string; readonly flag: Flag }[] {
  return places.flatMap(({ path, flags }) =>
    flags.filter(({ values }) => values.length > 0).map((flag) => ({ at: path === '' ? flag.name : `${path} ${flag.name}`, flag })),
  );
}

/** For single quotes of a POSIX shell; a colon would end the word. */
function quoted(text: string): string {
  const [name = '', ...meaning] = text.split(':');
  return `${name}:${meaning.join('\\:').replaceAll("'", `'\\''`)}`;
}

function fishQuoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
