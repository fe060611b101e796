import type { Texts } from './explain.texts.ts'

const wurde = (one: boolean) => (one ? 'wurde' : 'wurden')
const kam = (one: boolean) => (one ? 'kam' : 'kamen')
const ging = (one: boolean) => (one ? 'ging' : 'gingen')
const weil = (reason: string) => (reason === '' ? '' : ` (${reason})`)

/** German. */
export const de: Texts = {
  units: { points: { one: 'Punkt', other: 'Punkte' }, stamps: { one: 'Stempel', other: 'Stempel' } },
  balance: {
    past: ({ at, wallet, program, amount: { text, one } }) =>
      `Am ${at} ${one ? 'lag' : 'lagen'} im Konto „${wallet}“ von ${program} ${text}.`,
    now: ({ at, wallet, program, amount: { text, one } }) =>
      `Am ${at} ${one ? 'liegt' : 'liegen'} im Konto „${wallet}“ von ${program} ${text}.`,
    ahead: ({ at, wallet, program, amount: { text, one } }) =>
      `Am ${at} ${one ? 'wird' : 'werden'}, wenn sonst nichts geschieht, ` +
      `im Konto „${wallet}“ von ${program} ${text} liegen.`,
  },
  parts: {
    available: ({ text }) => `${text} verfügbar`,
    pending: ({ text }) => `${text} vorgemerkt`,
    held: ({ text }) => `${text} reserviert`,
    due: ({ text }) => `${text} nicht mehr einlösbar`,
  },
  ofThat: (parts) => `Davon: ${parts}.`,
  owed: ({ text }) =>
    `Offen: ${text}, die zurückgenommen wurden, als nicht genug da war; spätere Gutschriften gleichen das aus.`,
  moments: {
    'member.joined': 'den Beitritt',
    'member.birthday': 'den Geburtstag',
    'member.anniversary': 'den Jahrestag des Beitritts',
    'member.profile_complete': 'das vollständige Profil',
    'member.inactive': 'eine lange Abwesenheit',
  },
  came: ({ amount: { text, one }, source, name, on }) => {
    switch (source) {
      case 'purchase':
        return `${text} ${kam(one)} mit dem Einkauf ${name} vom ${on}`
      case 'return':
        return `${text} ${kam(one)} mit der Rückgabe ${name} vom ${on} zurück`
      case 'activity':
        return `${text} ${kam(one)} mit der Aktivität ${name} vom ${on}`
      case 'member':
        return `${text} gab es für ${name} am ${on}`
      case 'adjustment':
        return `${text} ${wurde(one)} am ${on} von Hand gutgeschrieben`
      case 'transfer':
        return `${text} ${kam(one)} am ${on} von einem anderen Mitglied`
      case 'conversion':
        return `${text} ${kam(one)} am ${on} aus einem anderen Konto`
      case 'redemption':
        return `${text} ${kam(one)} am ${on} aus einem anderen Konto für „${name}“`
      case 'merge':
        return `${text} ${kam(one)} am ${on} aus einer Mitgliedschaft, die mit dieser zusammengelegt wurde`
      case 'opening':
        return `${text} ${wurde(one)} am ${on} als Anfangsbestand übernommen`
      default:
        return `${text} ${kam(one)} am ${on}`
    }
  },
  moved: ({ amount: { text, one }, on, reason }) =>
    `${text} ${one ? 'gilt' : 'gelten'} seit dem ${on} mit anderen Fristen weiter${weil(reason)}`,
  givenAgain: ({ amount: { text, one }, on, reason }) =>
    `${text}, bereits abgelaufen, ${wurde(one)} am ${on} erneut gutgeschrieben${weil(reason)}`,
  rule: ({ name, version, why }) => `, nach der Regel „${name}“ (Fassung ${version})${why === '' ? '' : `: ${why}`}`,
  took: {
    spend: ({ text, one }) => `${text} davon ${wurde(one)} eingelöst`,
    reverse: ({ text, one }) => `${text} davon ${wurde(one)} durch eine Rückgabe zurückgenommen`,
    adjust: ({ text, one }) => `${text} davon ${wurde(one)} von Hand abgezogen`,
    expire: ({ text, one }) => `${text} davon ${one ? 'ist' : 'sind'} verfallen`,
    move: ({ text, one }) => `${text} davon ${one ? 'gilt' : 'gelten'} mit anderen Fristen weiter`,
    cancel: ({ text, one }) => `${text} davon ${wurde(one)} noch vor der Freigabe storniert`,
    transfer: ({ text, one }) => `${text} davon ${ging(one)} an ein anderes Mitglied`,
    convert: ({ text, one }) => `${text} davon ${ging(one)} in ein anderes Konto`,
    merge: ({ text, one }) => `${text} davon ${ging(one)} an die Mitgliedschaft, mit der diese zusammengelegt wurde`,
    fee: ({ text, one }) => `${text} davon ${ging(one)} als Gebühr ab`,
    other: ({ text, one }) => `${text} davon ${wurde(one)} entnommen`,
  },
  gave: {
    restore: ({ text, one }) => `${text} ${kam(one)} zurück, weil eine Rückgabe am Ende weniger nahm`,
    refund: ({ text, one }) => `${text} ${kam(one)} aus einer rückgängig gemachten Einlösung zurück`,
    merge: ({ text, one }) => `${text} ${kam(one)} aus einer zusammengelegten Mitgliedschaft zurück`,
    other: ({ text, one }) => `${text} ${kam(one)} zurück`,
  },
  once: ({ on, reason }) => `, am ${on}${weil(reason)}`,
  severalTimes: (times) => `, in ${times} Schritten`,
  held: ({ amount: { text }, until, reason }) => `Reserviert bis ${until}: ${text} davon${weil(reason)}`,
  sought: ({ text, one }) => `${text} davon ${one ? 'geht' : 'gehen'} an eine Rückgabe zurück, die zu wenig vorfand`,
  left: {
    active: ({ amount: { text }, until }) =>
      until === null ? `Übrig davon: ${text}, unbefristet` : `Übrig davon: ${text}, einlösbar vor dem ${until}`,
    expired: ({ amount: { text }, until }) => `Übrig davon: ${text}, seit dem ${until} nicht mehr einlösbar`,
  },
  pending: ({ amount: { text }, from, until }) =>
    from !== null
      ? `Übrig davon: ${text}, einlösbar ab dem ${from}${until === null ? '' : ` bis zum ${until}`}`
      : `Übrig davon: ${text}, in Erwartung eines Ereignisses` +
        (until === null ? '' : `; storniert, wenn es nicht vor dem ${until} eintritt`),
  used: 'Nichts davon ist übrig',
  more: 'Es gibt weitere Posten.',
}
