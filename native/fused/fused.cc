// The op MaskSubFused as TensorFlow sees it: its definition, and a CPU kernel on TensorFlow's C interface.
#include "fused.h"

#include <memory>
#include <mutex>
#include <stdexcept>

#include "run.h"
#include "tensorflow/c/c_api.h"
// The part of the header that a slim build leaves out needs headers that are not of the C interface.
#define IS_SLIM_BUILD
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace masksub {
namespace {

constexpr char kOpName[] = "MaskSubFused";

struct StatusDeleter {
  void operator()(TF_Status* status) const { TF_DeleteStatus(status); }
};
struct TensorDeleter {
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
};
using OwnedStatus = std::unique_ptr<TF_Status, StatusDeleter>;
using OwnedTensor = std::unique_ptr<TF_Tensor, TensorDeleter>;

OwnedStatus NewStatus() { return OwnedStatus(TF_NewStatus()); }

// A problem with the op's attributes or inputs; never leaves this file, since TensorFlow is called without exceptions.
class InvalidArgument : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

void Check(const OwnedStatus& status) {
  if (TF_GetCode(status.get()) != TF_OK) throw InvalidArgument(TF_Message(status.get()));
}

// Reads a list attribute with one of the functions TF_OpKernelConstruction_GetAttr…List.
template <class T, class Get>
std::vector<T> ReadList(TF_OpKernelConstruction* context, const char* name, Get get) {
  const OwnedStatus status = NewStatus();
  int32_t count = 0, bytes = 0;
  TF_OpKernelConstruction_GetAttrSize(context, name, &count, &bytes, status.get());
  Check(status);
  std::vector<T> list(count < 0 ? 0 : count);
  if (!list.empty()) get(context, name, list.data(), count, status.get());
  Check(status);
  return list;
}

std::vector<Type> ReadTypes(TF_OpKernelConstruction* context, const char* name) {
  static_assert(static_cast<int>(Type::kFloat) == TF_FLOAT && static_cast<int>(Type::kInt32) == TF_INT32 &&
                    static_cast<int>(Type::kBool) == TF_BOOL && static_cast<int>(Type::kBfloat16) == TF_BFLOAT16,
                "the numbers are TensorFlow's");
  std::vector<Type> types;
  for (TF_DataType type : ReadList<TF_DataType>(context, name, TF_OpKernelConstruction_GetAttrTypeList)) {
    types.push_back(static_cast<Type>(type));
  }
  return types;
}

struct Kernel {
  Plan plan;
  std::vector<float> constants;
};

void* Create(TF_OpKernelConstruction* context) {
  const OwnedStatus failure = NewStatus();
  try {
    auto kernel = std::make_unique<Kernel>();
    kernel->constants = ReadList<float>(context, "constants", TF_OpKernelConstruction_GetAttrFloatList);
    const auto words = ReadList<int64_t>(context, "program", TF_OpKernelConstruction_GetAttrInt64List);
    Program program;
    std::string error;
    if (!ParseProgram(words, ReadTypes(context, "Tin"), ReadTypes(context, "Tout"), kernel->constants.size(), &program,
                      &error)) {
      throw InvalidArgument(error);
    }
    kernel->plan = MakePlan(program);
    return kernel.release();
  } catch (const InvalidArgument& error) {
    TF_SetStatus(failure.get(), TF_INVALID_ARGUMENT, error.what());
  } catch (const std::bad_alloc&) {
    TF_SetStatus(failure.get(), TF_RESOURCE_EXHAUSTED, "MaskSubFused: no memory for the program");
  }
  TF_OpKernelConstruction_Failure(context, failure.get());
  return nullptr;
}

// Outputs come before inputs: an input that this call holds could not be forwarded any more.
std::vector<OwnedTensor> MakeOutputs(const Plan& plan, TF_OpKernelContext* context) {
  std::vector<OwnedTensor> tensors;
  for (size_t i = 0; i < plan.program.outputs.size(); i++) {
    const Output& output = plan.program.outputs[i];
    const OwnedStatus status = NewStatus();
    const int rank = static_cast<int>(output.dims.size()), index = static_cast<int>(i);
    const std::vector<int>& candidates = plan.forwardable[i];
    if (candidates.empty()) {
      const TF_DataType type = static_cast<TF_DataType>(output.type);
      const size_t bytes = output.count * TF_DataTypeSize(type);
      tensors.emplace_back(
          TF_AllocateOutput(context, index, type, output.dims.data(), rank, bytes, status.get()));
    } else {
      const int count = static_cast<int>(candidates.size());
      tensors.emplace_back(TF_ForwardInputOrAllocateOutput(context, candidates.data(), count, index,
                                                           output.dims.data(), rank, nullptr, status.get()));
    }
    Check(status);
  }
  return tensors;
}

std::vector<OwnedTensor> ReadInputs(const Plan& plan, TF_OpKernelContext* context) {
  std::vector<OwnedTensor> tensors;
  for (size_t i = 0; i < plan.program.inputs.size(); i++) {
    const OwnedStatus status = NewStatus();
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context, static_cast<int>(i), &tensor, status.get());
    Check(status);
    tensors.emplace_back(tensor);
    const int64_t wanted = CountOf(plan.program, plan.program.inputs[i]), given = TF_TensorElementCount(tensor);
    const bool strided = plan.program.inputs[i].kind == Kind::kStrided;
    if (strided ? given < wanted : given != wanted) {
      throw InvalidArgument("MaskSubFused: input " + std::to_string(i) + " has " + std::to_string(given) +
                            " elements, the program reads " + std::to_string(wanted));
    }
  }
  return tensors;
}

void Compute(void* state, TF_OpKernelContext* context) {
  const Kernel& kernel = *static_cast<const Kernel*>(state);
  const OwnedStatus failure = NewStatus();
  try {
    const std::vector<OwnedTensor> outputs = MakeOutputs(kernel.plan, context);
    const std::vector<OwnedTensor> inputs = ReadInputs(kernel.plan, context);
    std::vector<const void*> from;
    std::vector<void*> to;
    for (const OwnedTensor& tensor : inputs) from.push_back(TF_TensorData(tensor.get()));
    for (const OwnedTensor& tensor : outputs) to.push_back(TF_TensorData(tensor.get()));
    RunPlan(kernel.plan, from, to, kernel.constants);
    return;
  } catch (const InvalidArgument& error) {
    TF_SetStatus(failure.get(), TF_INVALID_ARGUMENT, error.what());
  } catch (const std::bad_alloc&) {
    TF_SetStatus(failure.get(), TF_RESOURCE_EXHAUSTED, "MaskSubFused: no memory for a tile");
  }
  TF_OpKernelContext_Failure(context, failure.get());
}

void Delete(void* state) { delete static_cast<Kernel*>(state); }

// Throws where Check does, so outside of a kernel.
void Register() {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(kOpName);
  TF_OpDefinitionBuilderAddAttr(definition, "Tin: list({float, bfloat16, int32, bool}) >= 0");
  TF_OpDefinitionBuilderAddAttr(definition, "Tout: list({float, bfloat16}) >= 1");
  TF_OpDefinitionBuilderAddAttr(definition, "program: list(int)");
  TF_OpDefinitionBuilderAddAttr(definition, "constants: list(float)");
  TF_OpDefinitionBuilderAddInput(definition, "inputs: Tin");
  TF_OpDefinitionBuilderAddOutput(definition, "outputs: Tout");
  // The shapes are in the program, which shape functions of the C interface cannot read.
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, TF_ShapeInferenceContextSetUnknownShape);
  const OwnedStatus defined = NewStatus();
  TF_RegisterOpDefinition(definition, defined.get());
  Check(defined);
  const OwnedStatus registered = NewStatus();
  TF_RegisterKernelBuilder(kOpName, TF_NewKernelBuilder(kOpName, "CPU", Create, Compute, Delete), registered.get());
  Check(registered);
}

}  // namespace

void RegisterFused() {
  static std::once_flag once;
  std::call_once(once, Register);
}

}  // namespace masksub
