// The addon as Node sees it: sessions over recorded graphs, run off the main thread. Values cross as copies.
#include <node_api.h>

#include <cstring>
#include <stdexcept>

#include "fused/fused.h"
#include "graph/session.h"

namespace masksub {
namespace {

void Check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw std::runtime_error(info && info->error_message ? info->error_message : "Node-API failed.");
}

std::string ToString(napi_env env, napi_value value) {
  size_t length = 0;
  Check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length, '\0');
  Check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

int64_t ToInteger(napi_env env, napi_value value) {
  int64_t number = 0;
  Check(env, napi_get_value_int64(env, value, &number));
  return number;
}

napi_value Property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  Check(env, napi_get_named_property(env, object, name, &value));
  return value;
}

template <typename T>
std::vector<T> ToVector(napi_env env, napi_value array, T (*convert)(napi_env, napi_value)) {
  uint32_t length = 0;
  Check(env, napi_get_array_length(env, array, &length));
  std::vector<T> items;
  items.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value item;
    Check(env, napi_get_element(env, array, i, &item));
    items.push_back(convert(env, item));
  }
  return items;
}

struct Bytes {
  const void* data;
  size_t size;
};

Bytes ToBytes(napi_env env, napi_value value) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  Check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  const size_t width = type == napi_float64_array || type == napi_bigint64_array || type == napi_biguint64_array ? 8
                       : type == napi_float32_array || type == napi_int32_array || type == napi_uint32_array     ? 4
                       : type == napi_int16_array || type == napi_uint16_array                                   ? 2
                                                                                                                 : 1;
  return {data, length * width};
}

std::string ToBuffer(napi_env env, napi_value value) {
  const Bytes bytes = ToBytes(env, value);
  return std::string(static_cast<const char*>(bytes.data), bytes.size);
}

// `node` or `node:1`.
Endpoint ToEndpoint(napi_env env, napi_value value) {
  std::string name = ToString(env, value);
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) return {name, 0};
  return {name.substr(0, colon), std::stoi(name.substr(colon + 1))};
}

NodeAttribute ToAttribute(napi_env env, napi_value value) {
  return {ToString(env, Property(env, value, "name")), ToBuffer(env, Property(env, value, "value"))};
}

// A copy of {dtype, shape, values}.
Tensor ToTensor(napi_env env, napi_value value) {
  const auto dtype = static_cast<TF_DataType>(ToInteger(env, Property(env, value, "dtype")));
  const std::vector<int64_t> shape = ToVector<int64_t>(env, Property(env, value, "shape"), ToInteger);
  const Bytes bytes = ToBytes(env, Property(env, value, "values"));
  size_t expected = TF_DataTypeSize(dtype);
  for (const int64_t dimension : shape) expected *= dimension;
  if (expected != bytes.size) {
    throw std::runtime_error("A tensor has " + std::to_string(bytes.size) + " bytes instead of " +
                             std::to_string(expected) + ".");
  }
  Tensor tensor(TF_AllocateTensor(dtype, shape.data(), static_cast<int>(shape.size()), bytes.size));
  if (!tensor) throw std::runtime_error("RESOURCE_EXHAUSTED: no memory for a tensor.");
  if (bytes.size > 0) std::memcpy(TF_TensorData(tensor.get()), bytes.data, bytes.size);
  return tensor;
}

// The contents of a tensor as an ArrayBuffer, a copy: VS Code's own runtime allows no external memory.
napi_value FromTensor(napi_env env, const TF_Tensor* tensor) {
  const size_t size = TF_TensorByteSize(tensor);
  void* data = nullptr;
  napi_value buffer;
  Check(env, napi_create_arraybuffer(env, size, &data, &buffer));
  if (size > 0) std::memcpy(data, TF_TensorData(tensor), size);
  return buffer;
}

Session& ToSession(napi_env env, napi_value value) {
  void* data = nullptr;
  Check(env, napi_get_value_external(env, value, &data));
  auto& session = *static_cast<std::shared_ptr<Session>*>(data);
  if (!session) throw std::runtime_error("The session is closed.");
  return *session;
}

template <size_t N>
void Arguments(napi_env env, napi_callback_info info, napi_value (&arguments)[N]) {
  size_t count = N;
  Check(env, napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr));
  if (count < N) throw std::runtime_error("Too few arguments.");
}

// Turns C++ exceptions into JavaScript ones.
template <napi_value (*Function)(napi_env, napi_callback_info)>
napi_value Guarded(napi_env env, napi_callback_info info) {
  try {
    return Function(env, info);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

// createSession(config: Uint8Array) → session
napi_value CreateSession(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Arguments(env, info, arguments);
  auto* session = new std::shared_ptr<Session>(std::make_shared<Session>(ToBuffer(env, arguments[0])));
  napi_value result;
  const auto release = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Session>*>(data); };
  Check(env, napi_create_external(env, session, release, nullptr, &result));
  return result;
}

// closeSession(session): what still runs keeps the session until it is through.
napi_value CloseSession(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Arguments(env, info, arguments);
  void* data = nullptr;
  Check(env, napi_get_value_external(env, arguments[0], &data));
  static_cast<std::shared_ptr<Session>*>(data)->reset();
  return nullptr;
}

// extend(session, graphDef: Uint8Array)
napi_value Extend(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  Arguments(env, info, arguments);
  ToSession(env, arguments[0]).Extend(ToBuffer(env, arguments[1]));
  return nullptr;
}

// addNode(session, op, name, inputs: string[], list: number, attributes: {name, value: Uint8Array}[])
//   → {dtype: number, shape: number[] | undefined}[]
napi_value AddNode(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  Arguments(env, info, arguments);
  const auto types =
      ToSession(env, arguments[0])
          .AddNode(ToString(env, arguments[1]), ToString(env, arguments[2]),
                   ToVector<Endpoint>(env, arguments[3], ToEndpoint), static_cast<size_t>(ToInteger(env, arguments[4])),
                   ToVector<NodeAttribute>(env, arguments[5], ToAttribute));
  napi_value result;
  Check(env, napi_create_array_with_length(env, types.size(), &result));
  for (size_t i = 0; i < types.size(); i++) {
    napi_value output, dtype;
    Check(env, napi_create_object(env, &output));
    Check(env, napi_create_int32(env, types[i].dtype, &dtype));
    Check(env, napi_set_named_property(env, output, "dtype", dtype));
    if (types[i].known_rank) {
      napi_value shape;
      Check(env, napi_create_array_with_length(env, types[i].shape.size(), &shape));
      for (size_t d = 0; d < types[i].shape.size(); d++) {
        napi_value dimension;
        Check(env, napi_create_int64(env, types[i].shape[d], &dimension));
        Check(env, napi_set_element(env, shape, d, dimension));
      }
      Check(env, napi_set_named_property(env, output, "shape", shape));
    }
    Check(env, napi_set_element(env, result, i, output));
  }
  return result;
}

struct PendingRun {
  std::shared_ptr<Session> session;
  RunRequest request;
  std::vector<Tensor> results;
  std::string error;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

void ExecuteRun(napi_env, void* data) {
  auto& run = *static_cast<PendingRun*>(data);
  try {
    run.results = run.session->Run(run.request);
  } catch (const std::exception& error) {
    run.error = error.what();
  }
}

napi_value ResultOf(napi_env env, const PendingRun& run) {
  napi_value result;
  Check(env, napi_create_array_with_length(env, run.results.size(), &result));
  for (size_t i = 0; i < run.results.size(); i++) {
    Check(env, napi_set_element(env, result, i, FromTensor(env, run.results[i].get())));
  }
  return result;
}

void CompleteRun(napi_env env, napi_status, void* data) {
  const std::unique_ptr<PendingRun> run(static_cast<PendingRun*>(data));
  napi_delete_async_work(env, run->work);
  napi_value result = nullptr;
  if (run->error.empty()) {
    try {
      result = ResultOf(env, *run);
    } catch (const std::exception& error) {
      run->error = error.what();
    }
  }
  if (run->error.empty()) {
    napi_resolve_deferred(env, run->deferred, result);
    return;
  }
  napi_value message, error;
  napi_create_string_utf8(env, run->error.data(), run->error.size(), &message);
  napi_create_error(env, nullptr, message, &error);
  napi_reject_deferred(env, run->deferred, error);
}

// run(session, feeds: string[], values: {dtype, shape, values}[], fetches: string[], targets: string[], options: Uint8Array)
//   → Promise<ArrayBuffer[]>
napi_value Run(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  Arguments(env, info, arguments);
  auto run = std::make_unique<PendingRun>();
  ToSession(env, arguments[0]);
  void* data = nullptr;
  Check(env, napi_get_value_external(env, arguments[0], &data));
  run->session = *static_cast<std::shared_ptr<Session>*>(data);
  run->request = {ToVector<Endpoint>(env, arguments[1], ToEndpoint), ToVector<Tensor>(env, arguments[2], ToTensor),
                  ToVector<Endpoint>(env, arguments[3], ToEndpoint), ToVector<std::string>(env, arguments[4], ToString),
                  ToBuffer(env, arguments[5])};
  napi_value promise, name;
  Check(env, napi_create_promise(env, &run->deferred, &promise));
  Check(env, napi_create_string_utf8(env, "masksub.run", NAPI_AUTO_LENGTH, &name));
  Check(env, napi_create_async_work(env, nullptr, name, ExecuteRun, CompleteRun, run.get(), &run->work));
  Check(env, napi_queue_async_work(env, run->work));
  run.release();  // CompleteRun owns it now
  return promise;
}

void Export(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  Check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function));
  Check(env, napi_set_named_property(env, exports, name, function));
}

napi_value Initialize(napi_env env, napi_value exports) {
  try {
    RegisterFused();
    Export(env, exports, "createSession", Guarded<CreateSession>);
    Export(env, exports, "closeSession", Guarded<CloseSession>);
    Export(env, exports, "extend", Guarded<Extend>);
    Export(env, exports, "addNode", Guarded<AddNode>);
    Export(env, exports, "run", Guarded<Run>);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return exports;
}

}  // namespace
}  // namespace masksub

NAPI_MODULE_INIT() { return masksub::Initialize(env, exports); }
