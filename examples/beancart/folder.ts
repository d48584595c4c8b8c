import { join } from 'node:path';
import { packageRoot } from '../../stack/package-root.ts';

/** The folder with BeanCart's SQL, lethe.yaml and contracts; these are not compiled, so `dist/` has none of them. */
export const beancartFolder = join(packageRoot(), 'examples', 'beancart');
