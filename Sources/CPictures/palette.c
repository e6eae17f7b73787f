// Few colours for many: median cut, Heckbert 1982, "Color image quantization for frame buffer display".
#include "palette.h"

#include <stdlib.h>

// Colours are told apart by their upper 5 bits where there are too many.
enum { levels = 32, cell_count = levels * levels * levels, slot_count = 1024 };

static const uint32_t empty_slot = 0xFFFFFFFF;

typedef struct {
    int64_t count, sums[3];
} cell;

struct fovea_palette {
    int32_t count;
    uint8_t colors[fovea_palette_size][3];
    // Whether these are all colours: then `slots` finds them, otherwise `index_of_cell`.
    int32_t is_exact;
    uint32_t slots[slot_count];
    uint8_t index_of_slot[slot_count];
    uint8_t index_of_cell[cell_count];
};

static uint32_t packed(const uint8_t *color) {
    return (uint32_t)color[0] << 16 | (uint32_t)color[1] << 8 | color[2];
}

static int32_t cell_of(const uint8_t *color) { return color[0] >> 3 << 10 | color[1] >> 3 << 5 | color[2] >> 3; }

// Where a colour is or would be.
static uint32_t slot_of(const fovea_palette *palette, uint32_t color) {
    uint32_t slot = color * 2654435761u >> 22;
    while (palette->slots[slot] != color && palette->slots[slot] != empty_slot) slot = (slot + 1) % slot_count;
    return slot;
}

static int32_t collect(fovea_palette *palette, const uint8_t *pixels, int64_t count) {
    for (int32_t slot = 0; slot < slot_count; slot++) palette->slots[slot] = empty_slot;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *color = pixels + 3 * i;
        uint32_t slot = slot_of(palette, packed(color));
        if (palette->slots[slot] != empty_slot) continue;
        if (palette->count == fovea_palette_size) return 0;
        palette->slots[slot] = packed(color);
        palette->index_of_slot[slot] = (uint8_t)palette->count;
        for (int32_t axis = 0; axis < 3; axis++) palette->colors[palette->count][axis] = color[axis];
        palette->count++;
    }
    return 1;
}

// Cells from `low` to `high` along each axis, both included.
typedef struct {
    int32_t low[3], high[3];
    int64_t count;
} box;

static int32_t cell_at(int32_t r, int32_t g, int32_t b) { return r << 10 | g << 5 | b; }

// Makes a box as small as the colours in it allow, and counts these.
static void shrink(box *part, const cell *cells) {
    box small = {{levels, levels, levels}, {-1, -1, -1}, 0};
    for (int32_t r = part->low[0]; r <= part->high[0]; r++) {
        for (int32_t g = part->low[1]; g <= part->high[1]; g++) {
            for (int32_t b = part->low[2]; b <= part->high[2]; b++) {
                int64_t count = cells[cell_at(r, g, b)].count;
                if (count == 0) continue;
                int32_t place[3] = {r, g, b};
                for (int32_t axis = 0; axis < 3; axis++) {
                    if (place[axis] < small.low[axis]) small.low[axis] = place[axis];
                    if (place[axis] > small.high[axis]) small.high[axis] = place[axis];
                }
                small.count += count;
            }
        }
    }
    *part = small;
}

static int32_t longest_axis(const box *part) {
    int32_t longest = 0;
    for (int32_t axis = 1; axis < 3; axis++) {
        if (part->high[axis] - part->low[axis] > part->high[longest] - part->low[longest]) longest = axis;
    }
    return longest;
}

// Cuts a box where half of its pixels are on each side.
static box cut(box *part, const cell *cells) {
    int32_t axis = longest_axis(part);
    int64_t counts[levels] = {0};
    for (int32_t r = part->low[0]; r <= part->high[0]; r++) {
        for (int32_t g = part->low[1]; g <= part->high[1]; g++) {
            for (int32_t b = part->low[2]; b <= part->high[2]; b++) {
                counts[axis == 0 ? r : axis == 1 ? g : b] += cells[cell_at(r, g, b)].count;
            }
        }
    }
    int32_t last = part->low[axis];
    for (int64_t below = counts[last]; 2 * below < part->count && last < part->high[axis] - 1;) below += counts[++last];
    box upper = *part;
    part->high[axis] = last;
    upper.low[axis] = last + 1;
    shrink(part, cells);
    shrink(&upper, cells);
    return upper;
}

static void take_mean(fovea_palette *palette, const box *part, const cell *cells) {
    int64_t sums[3] = {0};
    for (int32_t r = part->low[0]; r <= part->high[0]; r++) {
        for (int32_t g = part->low[1]; g <= part->high[1]; g++) {
            for (int32_t b = part->low[2]; b <= part->high[2]; b++) {
                int32_t place = cell_at(r, g, b);
                for (int32_t axis = 0; axis < 3; axis++) sums[axis] += cells[place].sums[axis];
                palette->index_of_cell[place] = (uint8_t)palette->count;
            }
        }
    }
    for (int32_t axis = 0; axis < 3; axis++) {
        palette->colors[palette->count][axis] = (uint8_t)((sums[axis] + part->count / 2) / part->count);
    }
    palette->count++;
}

static void divide(fovea_palette *palette, const cell *cells) {
    box boxes[fovea_palette_size] = {{{0, 0, 0}, {levels - 1, levels - 1, levels - 1}, 0}};
    shrink(&boxes[0], cells);
    int32_t count = 1;
    while (count < fovea_palette_size) {
        // The box with most pixels for its size in colours is cut.
        int32_t chosen = -1;
        double most = 0;
        for (int32_t i = 0; i < count; i++) {
            int32_t axis = longest_axis(&boxes[i]);
            double weight = (double)boxes[i].count * (boxes[i].high[axis] - boxes[i].low[axis]);
            if (weight > most) {
                chosen = i;
                most = weight;
            }
        }
        if (chosen < 0) break;
        boxes[count] = cut(&boxes[chosen], cells);
        count++;
    }
    palette->count = 0;
    for (int32_t i = 0; i < count; i++) take_mean(palette, &boxes[i], cells);
}

fovea_palette *fovea_palette_create(const uint8_t *pixels, int64_t count) {
    fovea_palette *palette = calloc(1, sizeof *palette);
    if (!palette) return NULL;
    palette->is_exact = collect(palette, pixels, count);
    if (palette->is_exact) return palette;
    cell *cells = calloc(cell_count, sizeof *cells);
    if (!cells) {
        free(palette);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *color = pixels + 3 * i;
        cell *home = &cells[cell_of(color)];
        home->count++;
        for (int32_t axis = 0; axis < 3; axis++) home->sums[axis] += color[axis];
    }
    divide(palette, cells);
    free(cells);
    return palette;
}

void fovea_palette_destroy(fovea_palette *palette) { free(palette); }

int32_t fovea_palette_count(const fovea_palette *palette) { return palette->count; }

const uint8_t *fovea_palette_color(const fovea_palette *palette, int32_t index) { return palette->colors[index]; }

uint8_t fovea_palette_index(const fovea_palette *palette, const uint8_t *color) {
    if (!palette->is_exact) return palette->index_of_cell[cell_of(color)];
    return palette->index_of_slot[slot_of(palette, packed(color))];
}
