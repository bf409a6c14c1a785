// Reads and checks the integers of a fused program: a wrong one is refused with a sentence, never run.
#include "program.h"

namespace masksub {
namespace {

constexpr int64_t kLargest = int64_t{1} << 40;  // elements; products of two checked numbers stay within 64 bits
constexpr int64_t kMostItems = 4096;            // inputs, outputs; instructions: four times as many
constexpr int64_t kInstructionWords = 6;

// Takes the words one after the other; past the end it gives zeros and remembers.
class Reader {
 public:
  explicit Reader(const std::vector<int64_t>& words) : words_(words) {}
  int64_t Next() {
    if (at_ < words_.size()) return words_[at_++];
    short_ = true;
    return 0;
  }
  bool Short() const { return short_; }
  size_t Left() const { return words_.size() - at_; }

 private:
  const std::vector<int64_t>& words_;
  size_t at_ = 0;
  bool short_ = false;
};

std::string Text(const char* what, size_t index, const char* why) {
  return std::string("MaskSubFused: ") + what + " " + std::to_string(index) + " " + why;
}

bool Within(int64_t value, int64_t low, int64_t high) { return value >= low && value <= high; }

class Parser {
 public:
  Parser(Program* program, std::string* error) : program_(*program), error_(*error) {}

  bool Parse(const std::vector<int64_t>& words, const std::vector<Type>& input_types,
             const std::vector<Type>& output_types, size_t constants) {
    Reader reader(words);
    if (reader.Next() != kProgramVersion) return Fail("MaskSubFused: the program is of another version");
    program_.rows = reader.Next();
    program_.cols = reader.Next();
    if (!Within(program_.rows, 1, kLargest) || !Within(program_.cols, 1, kLargest / program_.rows)) {
      return Fail("MaskSubFused: rows and columns are at least 1 and at most 2^40 together");
    }
    const int64_t inputs = reader.Next(), outputs = reader.Next(), instructions = reader.Next();
    const int64_t layouts = reader.Next();
    if (inputs != static_cast<int64_t>(input_types.size()) || outputs != static_cast<int64_t>(output_types.size())) {
      return Fail("MaskSubFused: the program has other inputs or outputs than the op");
    }
    if (inputs > kMostItems || outputs > kMostItems || !Within(instructions, 1, 4 * kMostItems) ||
        !Within(layouts, 0, kMostItems)) {
      return Fail("MaskSubFused: too many inputs, outputs, layouts or instructions, or none");
    }
    layouts_ = layouts;
    program_.constants = static_cast<int64_t>(constants);
    for (Type type : input_types) {
      if (!ReadInput(reader, type)) return false;
    }
    for (Type type : output_types) {
      if (!ReadOutput(reader, type)) return false;
    }
    for (int64_t i = 0; i < layouts; i++) {
      if (!ReadLayout(reader)) return false;
    }
    if (reader.Left() != static_cast<size_t>(instructions * kInstructionWords)) {
      return Fail("MaskSubFused: the program is shorter or longer than its counts say");
    }
    parts_.assign(output_types.size(), 0);
    for (int64_t i = 0; i < instructions; i++) {
      if (!ReadInstruction(reader)) return false;
    }
    for (size_t i = 0; i < parts_.size(); i++) {
      if (parts_[i] != PartsOf(program_.outputs[i])) return Fail(Text("output", i, "is not written as a whole"));
    }
    return true;
  }

 private:
  bool Fail(const std::string& why) {
    error_ = why;
    return false;
  }

  bool ReadInput(Reader& reader, Type type) {
    const int64_t kind = reader.Next(), div = reader.Next(), mod = reader.Next();
    const size_t index = program_.inputs.size();
    if (!Within(kind, 0, 4)) return Fail(Text("input", index, "has an unknown kind"));
    if (static_cast<Kind>(kind) == Kind::kStrided) {
      if (!Within(div, 0, layouts_ - 1)) return Fail(Text("input", index, "has a layout that does not exist"));
    } else if (!Within(div, 1, kLargest) || !Within(mod, 1, program_.rows)) {
      return Fail(Text("input", index, "needs div from 1 and mod from 1 to the number of rows"));
    }
    program_.inputs.push_back({static_cast<Kind>(kind), type, div, mod});
    if (program_.inputs.back().kind == Kind::kScalar) program_.constants++;
    return true;
  }

  bool ReadOutput(Reader& reader, Type type) {
    const int64_t kind = reader.Next(), rank = reader.Next();
    const size_t index = program_.outputs.size();
    if (!Within(kind, 0, 3)) return Fail(Text("output", index, "has an unknown kind"));
    if (type != Type::kFloat && type != Type::kBfloat16) return Fail(Text("output", index, "is no float type"));
    if (!Within(rank, 0, 254)) return Fail(Text("output", index, "has an impossible rank"));
    Output output{static_cast<Kind>(kind), type, {}, 0};
    int64_t count = 1;
    for (int64_t i = 0; i < rank; i++) {
      const int64_t size = reader.Next();
      if (!Within(size, 1, kLargest / count)) return Fail(Text("output", index, "has an impossible dimension"));
      output.dims.push_back(size);
      count *= size;
    }
    output.count = count;
    const int64_t part = PartOf(output);
    if (count != part && (output.kind != Kind::kFull || count % part != 0)) {
      return Fail(Text("output", index, "has a shape that is not of its kind"));
    }
    program_.outputs.push_back(output);
    return true;
  }

  bool ReadLayout(Reader& reader) {
    const size_t index = program_.layouts.size();
    Layout layout = {};
    layout.offset = reader.Next();
    layout.dimensions = reader.Next();
    if (!Within(layout.offset, 0, kLargest) || !Within(layout.dimensions, 0, kMostDimensions)) {
      return Fail(Text("layout", index, "has an impossible offset or number of dimensions"));
    }
    int64_t rows = 1, last = layout.offset;
    for (int64_t d = 0; d < layout.dimensions; d++) {
      const int64_t size = layout.sizes[d] = reader.Next(), stride = layout.strides[d] = reader.Next();
      if (!Within(size, 1, kLargest / rows) || !Within(stride, 0, kLargest) ||
          (size > 1 && stride > (kLargest - last) / (size - 1))) {
        return Fail(Text("layout", index, "has an impossible size or stride"));
      }
      rows *= size;
      last += (size - 1) * stride;
    }
    if (rows != program_.rows) return Fail(Text("layout", index, "has another number of rows"));
    layout.extent = last + program_.cols;
    program_.layouts.push_back(layout);
    return true;
  }

  // Elements that one store of this output writes.
  int64_t PartOf(const Output& output) const {
    switch (output.kind) {
      case Kind::kFull:
        return program_.rows * program_.cols;
      case Kind::kRow:
        return program_.rows;
      case Kind::kColumn:
        return program_.cols;
      default:
        return 1;
    }
  }
  int64_t PartsOf(const Output& output) const { return output.count / PartOf(output); }

  bool ReadInstruction(Reader& reader) {
    const int64_t op = reader.Next(), space = reader.Next();
    const int64_t a = reader.Next(), b = reader.Next(), kinds = reader.Next(), c = reader.Next();
    const size_t index = program_.instructions.size();
    if (!Within(op, 0, kOpCount - 1)) return Fail(Text("instruction", index, "is no known op"));
    if (!Within(space, 0, 1)) return Fail(Text("instruction", index, "has an unknown space"));
    if (!Within(kinds & 3, 0, 2) || !Within(kinds >> 2, 0, 2)) {
      return Fail(Text("instruction", index, "has an unknown kind of operand"));
    }
    for (int64_t operand : {a, b, c}) {
      if (!Within(operand, 0, INT32_MAX)) return Fail(Text("instruction", index, "has an operand out of range"));
    }
    const Instruction in = {static_cast<Op>(op),    space == 1,
                            static_cast<int32_t>(a), static_cast<int32_t>(b),
                            static_cast<int32_t>(c), static_cast<Operand>(kinds & 3),
                            static_cast<Operand>(kinds >> 2)};
    const char* why = WhyWrong(in);
    if (why != nullptr) return Fail(Text("instruction", index, why));
    program_.instructions.push_back(in);
    return true;
  }

  // Null if the instruction is right.
  const char* WhyWrong(const Instruction& in) {
    switch (in.op) {
      case Op::kLoad:
        return WhyWrongLoad(in);
      case Op::kFill:
        return in.b < program_.constants ? nullptr : "fills with a constant that does not exist";
      case Op::kExpand:
        if (in.row) return "expands into a row value";
        return IsValue(in.a, true) ? nullptr : "expands what is no row value";
      case Op::kRowSum:
      case Op::kRowMax:
        if (!in.row) return "reduces to rows but says that its value is full";
        return IsValue(in.a, false) ? nullptr : "reduces what is no full value";
      case Op::kStore:
        return WhyWrongStore(in);
      case Op::kColumnSum:
        return in.row ? "sums columns of a row value" : WhyWrongSink(in, Kind::kColumn);
      case Op::kTotal:
        return WhyWrongSink(in, Kind::kScalar);
      default:
        break;
    }
    if (!IsValue(in.a, in.row)) return "has a first operand that is no earlier value of its space";
    if (!IsUnary(in.op) && !IsOperand(in.b, in.b_kind, in.row)) return "has a wrong second operand";
    if (IsTernary(in.op) && !IsOperand(in.c, in.c_kind, in.row)) return "has a wrong third operand";
    return nullptr;
  }

  const char* WhyWrongLoad(const Instruction& in) const {
    if (static_cast<size_t>(in.a) >= program_.inputs.size()) return "loads an input that does not exist";
    const Kind kind = program_.inputs[in.a].kind;
    if (kind == Kind::kScalar) return "loads a scalar input, which is a constant";
    return in.row == (kind == Kind::kRow) ? nullptr : "loads into the wrong space";
  }

  const char* WhyWrongStore(const Instruction& in) {
    if (in.row && in.c > 0) return "stores a row value by a layout";
    const char* why = WhyWrongSink(in, in.row ? Kind::kRow : Kind::kFull);
    if (why != nullptr || in.row) return why;
    const Output& output = program_.outputs[in.b];
    if (in.c == 0) return PartsOf(output) == 1 ? nullptr : "stores a part of an output without a layout";
    if (static_cast<size_t>(in.c) > program_.layouts.size()) return "stores by a layout that does not exist";
    return program_.layouts[in.c - 1].extent <= output.count ? nullptr : "stores past the end of an output";
  }

  const char* WhyWrongSink(const Instruction& in, Kind kind) {
    if (!IsValue(in.a, in.row)) return "writes what is no earlier value of its space";
    if (static_cast<size_t>(in.b) >= program_.outputs.size()) return "writes an output that does not exist";
    if (program_.outputs[in.b].kind != kind) return "writes an output of another kind";
    if (++parts_[in.b] > PartsOf(program_.outputs[in.b])) return "writes an output for the second time";
    return nullptr;
  }

  bool IsValue(int32_t id, bool row) const {
    if (static_cast<size_t>(id) >= program_.instructions.size()) return false;
    const Instruction& in = program_.instructions[id];
    return !IsSink(in.op) && in.row == row;
  }

  bool IsOperand(int32_t id, Operand kind, bool row) const {
    if (kind == Operand::kConstant) return id < program_.constants;
    if (kind == Operand::kRow) return !row && IsValue(id, true);
    return IsValue(id, row);
  }

  Program& program_;
  std::string& error_;
  int64_t layouts_ = 0;
  std::vector<int64_t> parts_;  // by output: how often it has been written
};

}  // namespace

int64_t CountOf(const Program& program, const Input& input) {
  switch (input.kind) {
    case Kind::kFull:
      return input.mod * program.cols;
    case Kind::kRow:
      return input.mod;
    case Kind::kColumn:
      return program.cols;
    case Kind::kStrided:
      return program.layouts[input.div].extent;
    default:
      return 1;
  }
}

bool ParseProgram(const std::vector<int64_t>& words, const std::vector<Type>& input_types,
                  const std::vector<Type>& output_types, size_t constants, Program* program, std::string* error) {
  *program = Program();
  return Parser(program, error).Parse(words, input_types, output_types, constants);
}

}  // namespace masksub
