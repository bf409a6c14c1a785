// The program of a fused op: what its integers mean, and the check that nothing in them can lead outside a buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace masksub {

// The numbers belong together with src/engine/step/recorded/fusedOps.ts: change both, and kProgramVersion.
constexpr int64_t kProgramVersion = 2;

enum class Op : int32_t {
  kLoad = 0,
  kFill = 1,
  kExpand = 2,
  kNeg = 3,
  kAbs = 4,
  kSquare = 5,
  kSqrt = 6,
  kRsqrt = 7,
  kReciprocal = 8,
  kExp = 9,
  kLog = 10,
  kLog1p = 11,
  kExpm1 = 12,
  kErf = 13,
  kTanh = 14,
  kSigmoid = 15,
  kRelu = 16,
  kSign = 17,
  kFloor = 18,
  kLogicalNot = 19,
  kAdd = 20,
  kSub = 21,
  kReverseSub = 22,
  kMul = 23,
  kDiv = 24,
  kReverseDiv = 25,
  kMax = 26,
  kMin = 27,
  kPow = 28,
  kGreater = 29,
  kGreaterEqual = 30,
  kLess = 31,
  kLessEqual = 32,
  kEqual = 33,
  kNotEqual = 34,
  kLogicalAnd = 35,
  kLogicalOr = 36,
  kSquaredDifference = 37,
  kMulAdd = 38,
  kSelect = 39,
  kRowSum = 40,
  kRowMax = 41,
  kStore = 42,
  kColumnSum = 43,
  kTotal = 44,
};
constexpr int64_t kOpCount = 45;

// Shape of an input or output in the iteration space of R rows and C columns; strided: full, its rows where a layout says.
enum class Kind : int32_t { kFull = 0, kRow = 1, kColumn = 2, kScalar = 3, kStrided = 4 };

// What an operand index refers to: a value of the instruction's own space, a constant, a row value in full space.
enum class Operand : int32_t { kValue = 0, kConstant = 1, kRow = 2 };

// The numbers of TF_DataType, so that the interpreter needs no TensorFlow header.
enum class Type : int32_t { kFloat = 1, kInt32 = 3, kBool = 10, kBfloat16 = 14 };

// Where row r of the iteration space begins within a tensor, in elements: r in mixed radix over the sizes, the first of
// them the slowest, each digit times its stride. Plain data, since the loops read it.
constexpr int64_t kMostDimensions = 8;
struct Layout {
  int64_t offset, dimensions;
  int64_t sizes[kMostDimensions], strides[kMostDimensions];
  int64_t extent;  // one past the last element
};

struct Input {
  Kind kind;
  Type type;
  int64_t div, mod;  // row r of the iteration space reads row (r / div) % mod; strided: div is the index of its layout
};

struct Output {
  Kind kind;
  Type type;
  std::vector<int64_t> dims;
  int64_t count;  // elements; of a full output that is stored in parts, rows times columns for each
};

struct Instruction {
  Op op;
  bool row;  // the value is one number a row; for sinks: their operand is
  int32_t a, b, c;
  Operand b_kind, c_kind;
};

struct Program {
  int64_t rows, cols;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<Layout> layouts;
  std::vector<Instruction> instructions;
  int64_t constants;  // of the attribute and the scalar inputs together
};

inline bool IsUnary(Op op) { return op >= Op::kNeg && op <= Op::kLogicalNot; }
inline bool IsBinary(Op op) { return op >= Op::kAdd && op <= Op::kSquaredDifference; }
inline bool IsTernary(Op op) { return op == Op::kMulAdd || op == Op::kSelect; }
inline bool IsRowReduction(Op op) { return op == Op::kRowSum || op == Op::kRowMax; }
inline bool IsSink(Op op) { return op >= Op::kStore; }

// Elements that an input holds; at least, where it is strided.
int64_t CountOf(const Program& program, const Input& input);

// Reads and checks a program. Returns false and says why in `error`, in terms of the instruction that is wrong.
bool ParseProgram(const std::vector<int64_t>& words, const std::vector<Type>& input_types,
                  const std::vector<Type>& output_types, size_t constants, Program* program, std::string* error);

}  // namespace masksub
