/** Sum of digits, each times the weight of its place. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * Number(digits[i]), 0);
}

/** ISO/IEC 7064 mod 11,10: the last digit checks those before it. */
export function isMod1110Valid(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

/** Values of the characters at odd places of a codice fiscale: digits and letters A-J share the first ten. */
const oddValues = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/**
 * The last letter of a codice fiscale checks the 15 characters before it (Decreto del Ministro delle Finanze, 23
 * December 1976, with its tables).
 */
export function isCodiceFiscaleValid(code: string): boolean {
  const sum = Array.from(code.slice(0, 15)).reduce((total, character, i) => {
    const value = /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65;
    return total + (i % 2 === 0 ? oddValues[value]! : value);
  }, 0);
  return code.charCodeAt(15) - 65 === sum % 26;
}

/** The letter of a Spanish DNI or NIE is the remainder of its number by 23. */
export function isSpanishLetterValid(digits: string, letter: string): boolean {
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(digits) % 23] === letter;
}
