/**
 * MurmurHash3_x86_128 over words of 32 bits, for ids that must be spread well and need not resist anybody
 * (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp), with a seed of four words instead of one.
 */
export class MurmurHash {
  private h1 = 0;
  private h2 = 0;
  private h3 = 0;
  private h4 = 0;
  private readonly words = new Uint32Array(4);

  begin(s1: number, s2: number, s3: number, s4: number): void {
    this.h1 = s1 | 0;
    this.h2 = s2 | 0;
    this.h3 = s3 | 0;
    this.h4 = s4 | 0;
  }

  block(k1: number, k2: number, k3: number, k4: number): void {
    let { h1, h2, h3, h4 } = this;
    h1 ^= Math.imul(rotate(Math.imul(k1, c1), 15), c2);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561c_cd1b) | 0;
    h2 ^= Math.imul(rotate(Math.imul(k2, c2), 16), c3);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bca_a747) | 0;
    h3 ^= Math.imul(rotate(Math.imul(k3, c3), 17), c4);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd_1c35) | 0;
    h4 ^= Math.imul(rotate(Math.imul(k4, c4), 18), c1);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac_3b17) | 0;
    this.h1 = h1;
    this.h2 = h2;
    this.h3 = h3;
    this.h4 = h4;
  }

  /** The hash of blocks that hold so many bytes: four words, valid until the next call. */
  end(bytes: number): Uint32Array {
    let h1 = this.h1 ^ bytes;
    let h2 = this.h2 ^ bytes;
    let h3 = this.h3 ^ bytes;
    let h4 = this.h4 ^ bytes;
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = (h2 + h1) | 0;
    h3 = (h3 + h1) | 0;
    h4 = (h4 + h1) | 0;
    h1 = mix(h1);
    h2 = mix(h2);
    h3 = mix(h3);
    h4 = mix(h4);
    h1 = (h1 + h2 + h3 + h4) | 0;
    const { words } = this;
    words[0] = h1;
    words[1] = h2 + h1;
    words[2] = h3 + h1;
    words[3] = h4 + h1;
    return words;
  }
}

const c1 = 0x239b_961b;
const c2 = 0xab0e_9789 | 0;
const c3 = 0x38b3_4ae5;
const c4 = 0xa1e3_8b93 | 0;

function rotate(n: number, by: number): number {
  return (n << by) | (n >>> (32 - by));
}

function mix(n: number): number {
  let h = n ^ (n >>> 16);
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
