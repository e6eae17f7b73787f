#ifndef FOVEA_PALETTE_H
#define FOVEA_PALETTE_H

#include <stdint.h>

enum { fovea_palette_size = 256 };

// At most 256 colours that stand for those of a picture.
typedef struct fovea_palette fovea_palette;

// The colours themselves where there are no more than 256, otherwise means of boxes of similar ones; NULL where there is not
// enough memory. `pixels` are RGB.
fovea_palette *fovea_palette_create(const uint8_t *pixels, int64_t count);
void fovea_palette_destroy(fovea_palette *palette);

int32_t fovea_palette_count(const fovea_palette *palette);
const uint8_t *fovea_palette_color(const fovea_palette *palette, int32_t index);
// Which of its colours stands for one that was in the pixels.
uint8_t fovea_palette_index(const fovea_palette *palette, const uint8_t *color);

#endif
