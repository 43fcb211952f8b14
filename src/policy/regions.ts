/** ISO 3166-1 codes by continent (each country under one, as the UN's M49 standard puts it). */
const CONTINENTS = {
  africa:
    'AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW',
  antarctica: 'AQ BV GS HM',
  asia: 'AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE',
  europe:
    'AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK',
  'north-america':
    'AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI',
  oceania: 'AS AU CC CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS',
  'south-america': 'AR BO BR CL CO EC FK GF GY PE PY SR UY VE',
} as const;

/** The 27 members of the European Union. */
const EUROPEAN_UNION = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK';

function codesOf(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/** Named regions that every policy knows: continents and `eu`. */
const BUILT_IN: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...Object.entries(CONTINENTS).map(([name, codes]) => [name, codesOf(codes)] as const),
  ['eu', codesOf(EUROPEAN_UNION)] as const,
]);

const COUNTRIES: ReadonlySet<string> = new Set(Object.values(CONTINENTS).flatMap((codes) => codes.split(' ')));

/** Regions that an operator defines: name to country codes. */
export type OwnRegions = Readonly<Record<string, readonly string[]>>;

/** The prefix of a named region in a list. */
export const REGION_PREFIX = 'region:';

/** Whether `code` is a country: ISO 3166-1 alpha-2, capitals, and XK for Kosovo. */
export function isCountry(code: string): boolean {
  return COUNTRIES.has(code);
}

/** The countries of a list entry (`KP`, `region:eu`), or null when it names none. An operator's own region goes before a built-in one. */
export function countriesOf(entry: string, own: OwnRegions): ReadonlySet<string> | null {
  if (!entry.startsWith(REGION_PREFIX)) return isCountry(entry) ? new Set([entry]) : null;
  const name = entry.slice(REGION_PREFIX.length);
  return Object.hasOwn(own, name) ? new Set(own[name]) : (BUILT_IN.get(name) ?? null);
}

/** The names that may follow `region:`. */
export function regionNames(own: OwnRegions): readonly string[] {
  return [...new Set([...BUILT_IN.keys(), ...Object.keys(own)])];
}
