// Plans a checked program: tiles that stay in the cache, as few buffers as the values' lifetimes allow.
#include "plan.h"

#include <algorithm>

namespace masksub {
namespace {

constexpr int64_t kTileFloats = 1536;       // of four or five values: within a first-level cache, and long loops
constexpr int64_t kChunkFloats = 16384;     // at least, where there is that much
constexpr int64_t kMostChunks = 64;         // of two or more a thread up to 32 threads
constexpr int64_t kRowsPerColumnPart = 32;  // a chunk's partial column sums cost about as much as a row
constexpr int64_t kSerialWork = 16384;      // elements times steps: waking a thread costs more
constexpr int64_t kLine = 16;               // floats in a cache line

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t RoundUp(int64_t a, int64_t b) { return CeilDiv(a, b) * b; }

bool IsIdentity(const Input& input, int64_t rows) { return input.div == 1 && input.mod == rows; }

// Whether the program is the same op on every element, so that rows mean nothing.
bool IsFlat(const Program& program) {
  for (const Input& input : program.inputs) {
    if (input.kind == Kind::kScalar) continue;
    if (input.kind != Kind::kFull || !IsIdentity(input, program.rows)) return false;
  }
  for (const Output& output : program.outputs) {
    if (output.kind != Kind::kFull && output.kind != Kind::kScalar) return false;
  }
  return std::none_of(program.instructions.begin(), program.instructions.end(), [](const Instruction& in) {
    return in.row || (in.op == Op::kStore && in.c > 0);
  });
}

// Does the work of MakePlan, a member function a part.
class Planner {
 public:
  explicit Planner(Plan* plan) : plan_(*plan), program_(plan->program), code_(program_.instructions) {}

  void Run() {
    if (IsFlat(program_)) Flatten();
    ShapeTiles();
    FindLastUses();
    PlaceInOutputs();
    PlaceInScratch();
    WriteSteps();
    ShapeChunks();
    FindForwardable();
  }

 private:
  void Flatten() {
    program_.cols *= program_.rows;
    program_.rows = 1;
    for (Input& input : program_.inputs) input.div = input.mod = 1;
  }

  void ShapeTiles() {
    const int64_t rows = program_.rows, cols = program_.cols;
    const bool whole_rows =
        std::any_of(code_.begin(), code_.end(), [](const Instruction& in) { return IsRowReduction(in.op); });
    if (whole_rows || cols <= kTileFloats) {
      plan_.tile_rows = std::min(rows, std::max<int64_t>(1, kTileFloats / cols));
      plan_.tile_cols = cols;
    } else {
      plan_.tile_rows = 1;
      plan_.tile_cols = RoundUp(CeilDiv(cols, CeilDiv(cols, kTileFloats)), kLine);
    }
    plan_.row_tiles = CeilDiv(rows, plan_.tile_rows);
    plan_.col_tiles = CeilDiv(cols, plan_.tile_cols);
  }

  // Calls use(id) for each value that an instruction reads.
  template <class Use>
  static void ForOperands(const Instruction& in, Use use) {
    if (in.op == Op::kLoad || in.op == Op::kFill) return;
    use(in.a);
    if ((IsBinary(in.op) || IsTernary(in.op)) && in.b_kind != Operand::kConstant) use(in.b);
    if (IsTernary(in.op) && in.c_kind != Operand::kConstant) use(in.c);
  }

  void FindLastUses() {
    last_use_.resize(code_.size());
    for (size_t i = 0; i < code_.size(); i++) {
      last_use_[i] = i;
      ForOperands(code_[i], [&](int32_t id) { last_use_[id] = i; });
    }
  }

  const Input* LoadedInput(const Instruction& in) const {
    return in.op == Op::kLoad ? &program_.inputs[in.a] : nullptr;
  }

  // The same in all tiles: kept in memory of its own, filled once a thread.
  bool IsInvariant(const Instruction& in) const {
    const Input* input = LoadedInput(in);
    return in.op == Op::kFill || (input != nullptr && input->kind == Kind::kColumn);
  }

  // Read where it lies: it needs no memory.
  bool IsView(const Instruction& in) const {
    const Input* input = LoadedInput(in);
    if (input == nullptr || input->type != Type::kFloat) return false;
    if (input->kind == Kind::kColumn || input->kind == Kind::kStrided) return plan_.tile_rows == 1;
    return IsIdentity(*input, program_.rows);
  }

  // A value that is stored as it is can be computed in the output's memory.
  void PlaceInOutputs() {
    direct_output_.assign(code_.size(), -1);
    for (const Instruction& in : code_) {
      if (in.op != Op::kStore || in.row || in.c > 0 || program_.outputs[in.b].type != Type::kFloat) continue;
      const Instruction& value = code_[in.a];
      const Input* input = LoadedInput(value);
      const bool computed = input == nullptr || input->type != Type::kFloat;
      if (!computed || IsInvariant(value) || direct_output_[in.a] >= 0) continue;
      direct_output_[in.a] = in.b;
      plan_.directs.push_back({in.a, in.b});
    }
  }

  void PlaceInScratch() {
    plan_.homes.assign(code_.size(), -1);
    // An odd number of cache lines apart, so that equal places of two values do not meet in one set of the cache.
    const int64_t full = RoundUp(plan_.tile_rows * plan_.tile_cols, 2 * kLine) + kLine;
    const int64_t row = RoundUp(plan_.tile_rows, kLine);
    std::vector<int64_t> free[2];  // full, row
    std::vector<bool> released(code_.size(), false);
    int64_t end = 0;
    const auto take = [&end](int64_t size) { return (end += size) - size; };
    for (size_t i = 0; i < code_.size(); i++) {
      const Instruction& in = code_[i];
      // Operands that end here first: all ops may write where they read.
      ForOperands(in, [&](int32_t id) {
        if (last_use_[id] != i || plan_.homes[id] < 0 || IsInvariant(code_[id]) || released[id]) return;
        released[id] = true;
        free[code_[id].row].push_back(plan_.homes[id]);
      });
      if (IsSink(in.op) || IsView(in) || direct_output_[i] >= 0) continue;
      if (IsInvariant(in)) {
        const bool column = in.op == Op::kLoad && plan_.tile_rows == 1;  // tiles are windows of it
        plan_.homes[i] = take(in.row ? row : column ? RoundUp(program_.cols, kLine) : full);
      } else if (free[in.row].empty()) {
        plan_.homes[i] = take(in.row ? row : full);
      } else {
        plan_.homes[i] = free[in.row].back();
        free[in.row].pop_back();
      }
    }
    plan_.scratch_floats = end;
  }

  void WriteSteps() {
    for (size_t i = 0; i < code_.size(); i++) {
      const Instruction& in = code_[i];
      Step step = {in.op, in.row, in.b_kind, in.c_kind, in.a, in.b, in.c, static_cast<int32_t>(i)};
      if (in.op == Op::kStore && direct_output_[in.a] == in.b) continue;
      if (in.op == Op::kColumnSum) step.b = Number(&plan_.column_sums, in.b);
      if (in.op == Op::kTotal) step.b = Number(&plan_.totals, in.b);
      if (IsInvariant(in)) plan_.once.push_back(step);
      if (in.op != Op::kFill) plan_.steps.push_back(step);
    }
  }

  static int32_t Number(std::vector<int32_t>* sums, int32_t output) {
    sums->push_back(output);
    return static_cast<int32_t>(sums->size()) - 1;
  }

  void ShapeChunks() {
    const int64_t elements = program_.rows * program_.cols;
    const int64_t wanted = std::clamp<int64_t>(elements / kChunkFloats, 1, kMostChunks);
    plan_.split_columns = plan_.col_tiles > plan_.row_tiles;
    plan_.chunks = std::min(wanted, std::max(plan_.col_tiles, plan_.row_tiles));
    if (!plan_.column_sums.empty() && !plan_.split_columns) {
      plan_.chunks = std::min(plan_.chunks, std::max<int64_t>(1, program_.rows / kRowsPerColumnPart));
    }
    plan_.parallel = elements * static_cast<int64_t>(plan_.steps.size()) >= kSerialWork;
  }

  // An output may take over the memory of an input that nobody else needs if each element of the input has been read,
  // in every tile, when that element of the output is written.
  void FindForwardable() {
    plan_.forwardable.resize(program_.outputs.size());
    std::vector<size_t> last_read(program_.inputs.size(), 0);
    for (size_t i = 0; i < code_.size(); i++) {
      const Input* input = LoadedInput(code_[i]);
      if (input == nullptr) continue;
      size_t& last = last_read[code_[i].a];
      last = std::max(last, input->type == Type::kFloat ? last_use_[i] : i);
    }
    for (size_t i = 0; i < code_.size(); i++) {
      const Instruction& in = code_[i];
      if (in.op != Op::kStore || in.row || in.c > 0) continue;
      const size_t written = direct_output_[in.a] == in.b ? static_cast<size_t>(in.a) : i;
      for (size_t k = 0; k < program_.inputs.size(); k++) {
        const Input& input = program_.inputs[k];
        const bool same = input.kind == Kind::kFull && input.type == program_.outputs[in.b].type;
        if (same && IsIdentity(input, program_.rows) && last_read[k] <= written) {
          plan_.forwardable[in.b].push_back(static_cast<int>(k));
        }
      }
      // What is read last first: of a state and its change that is the old state, whose memory then stays the state's.
      std::stable_sort(plan_.forwardable[in.b].begin(), plan_.forwardable[in.b].end(),
                       [&](int a, int b) { return last_read[a] > last_read[b]; });
    }
  }

  Plan& plan_;
  Program& program_;
  const std::vector<Instruction>& code_;
  std::vector<size_t> last_use_;
  std::vector<int32_t> direct_output_;  // by value; -1: none
};

}  // namespace

Plan MakePlan(const Program& program) {
  Plan plan = {};
  plan.program = program;
  Planner(&plan).Run();
  return plan;
}

}  // namespace masksub
