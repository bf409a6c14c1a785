// A TensorFlow graph and its session, on the C API of libtensorflow.
#include "graph/session.h"

#include <stdexcept>
#include <utility>

namespace masksub {
namespace {

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  TF_Status* get() { return status_; }
  void Check() const {
    if (TF_GetCode(status_) == TF_OK) return;
    const char* kind = TF_GetCode(status_) == TF_RESOURCE_EXHAUSTED ? "RESOURCE_EXHAUSTED: " : "";
    throw std::runtime_error(kind + std::string(TF_Message(status_)));
  }

 private:
  TF_Status* status_;
};

struct BufferDeleter {
  void operator()(TF_Buffer* buffer) const { TF_DeleteBuffer(buffer); }
};

}  // namespace

Session::Session(std::string config) : config_(std::move(config)), graph_(TF_NewGraph()) {}

Session::~Session() {
  Status status;  // nobody is left to hear of an error
  if (session_) {
    TF_CloseSession(session_, status.get());
    TF_DeleteSession(session_, status.get());
  }
  TF_DeleteGraph(graph_);
}

void Session::Open() {
  Status status;
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_SetConfig(options, config_.data(), config_.size(), status.get());
  if (TF_GetCode(status.get()) == TF_OK) session_ = TF_NewSession(graph_, options, status.get());
  TF_DeleteSessionOptions(options);
  status.Check();
}

void Session::Extend(const std::string& graph_def) {
  Status status;
  const std::unique_ptr<TF_Buffer, BufferDeleter> buffer(TF_NewBufferFromString(graph_def.data(), graph_def.size()));
  TF_ImportGraphDefOptions* options = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph_, buffer.get(), options, status.get());
  TF_DeleteImportGraphDefOptions(options);
  status.Check();
}

std::vector<Tensor> Session::Run(const RunRequest& request) {
  std::call_once(opened_, [this] { Open(); });
  std::vector<TF_Output> feeds, fetches;
  std::vector<TF_Tensor*> values;
  std::vector<const TF_Operation*> targets;
  for (const Endpoint& feed : request.feeds) feeds.push_back(Find(feed));
  for (const Endpoint& fetch : request.fetches) fetches.push_back(Find(fetch));
  for (const Tensor& value : request.values) values.push_back(value.get());
  for (const std::string& target : request.targets) targets.push_back(Find({target, 0}).oper);
  const std::unique_ptr<TF_Buffer, BufferDeleter> options(
      request.options.empty() ? nullptr : TF_NewBufferFromString(request.options.data(), request.options.size()));

  Status status;
  std::vector<TF_Tensor*> results(fetches.size(), nullptr);
  TF_SessionRun(session_, options.get(), feeds.data(), values.data(), static_cast<int>(feeds.size()), fetches.data(),
                results.data(), static_cast<int>(fetches.size()), targets.data(), static_cast<int>(targets.size()),
                nullptr, status.get());
  status.Check();
  std::vector<Tensor> owned;
  for (TF_Tensor* result : results) owned.emplace_back(result);
  return owned;
}

std::vector<OutputType> Session::AddNode(const std::string& op, const std::string& name,
                                         const std::vector<Endpoint>& inputs, size_t list,
                                         const std::vector<NodeAttribute>& attributes) {
  if (list > inputs.size()) throw std::runtime_error("The node " + name + " has too few inputs.");
  std::vector<TF_Output> outputs;
  for (const Endpoint& input : inputs) outputs.push_back(Find(input));
  TF_OperationDescription* description = TF_NewOperation(graph_, op.c_str(), name.c_str());
  if (list > 0) TF_AddInputList(description, outputs.data(), static_cast<int>(list));
  for (size_t i = list; i < outputs.size(); i++) TF_AddInput(description, outputs[i]);
  Status attribute_status, status;
  for (const NodeAttribute& attribute : attributes) {
    TF_SetAttrValueProto(description, attribute.name.c_str(), attribute.value.data(), attribute.value.size(),
                         attribute_status.get());
  }
  // A description must be finished before anything is thrown: nothing else frees it.
  TF_Operation* operation = TF_FinishOperation(description, status.get());
  attribute_status.Check();
  status.Check();

  std::vector<OutputType> types;
  for (int i = 0; i < TF_OperationNumOutputs(operation); i++) {
    const TF_Output output = {operation, i};
    const int rank = TF_GraphGetTensorNumDims(graph_, output, status.get());
    status.Check();
    OutputType type = {TF_OperationOutputType(output), rank >= 0, {}};
    if (rank > 0) {
      type.shape.resize(rank);
      TF_GraphGetTensorShape(graph_, output, type.shape.data(), rank, status.get());
      status.Check();
    }
    types.push_back(std::move(type));
  }
  return types;
}

TF_Output Session::Find(const Endpoint& endpoint) const {
  TF_Operation* operation = TF_GraphOperationByName(graph_, endpoint.node.c_str());
  if (!operation) throw std::runtime_error("The graph has no node " + endpoint.node + ".");
  return {operation, endpoint.output};
}

}  // namespace masksub
