// How a program is run: the shape of a tile, which value lies where, and what is cut into chunks for threads.
#pragma once

#include "program.h"

namespace masksub {

// An instruction as the tile loop runs it. Plain data: the interpreter is compiled once for each instruction set and
// must not share code with the others.
struct Step {
  Op op;
  bool row;
  Operand b_kind, c_kind;
  int32_t a, b, c;  // value ids, or constants; a of a load is the input, b of a store the output, b of a sum its number
  int32_t out;      // the value's id
};

// A value that is computed in the memory of an output.
struct Direct {
  int32_t value, output;
};

struct Plan {
  Program program;  // with rows and columns merged where nothing tells them apart
  int64_t tile_rows, tile_cols;
  int64_t row_tiles, col_tiles;
  // Chunks are ranges of row tiles, or of column tiles. Their number depends on the shape only: so sums are added in
  // the same order whatever the number of threads.
  int64_t chunks;
  bool split_columns;
  bool parallel;                   // enough work to wake other threads
  std::vector<Step> once;          // before the first tile of a thread: what is the same in all tiles
  std::vector<Step> steps;         // for each tile
  std::vector<Direct> directs;
  std::vector<int64_t> homes;      // by value: its place in the scratch memory, in floats; -1: elsewhere
  int64_t scratch_floats;          // a thread needs that many
  std::vector<int32_t> column_sums, totals;        // outputs, in the order of the sums' numbers
  std::vector<std::vector<int>> forwardable;       // by output: the inputs whose memory it may take over
};

Plan MakePlan(const Program& program);

}  // namespace masksub
