// A TensorFlow graph and its session: grows by serialized graphs, runs on any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"

namespace masksub {

struct TensorDeleter {
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
};
using Tensor = std::unique_ptr<TF_Tensor, TensorDeleter>;

// `node:output` as TensorFlow writes it.
struct Endpoint {
  std::string node;
  int output = 0;
};

struct RunRequest {
  std::vector<Endpoint> feeds;
  std::vector<Tensor> values;  // of the feeds
  std::vector<Endpoint> fetches;
  std::vector<std::string> targets;
  std::string options;  // a serialized RunOptions
};

// What shape inference finds out about an output: dimensions, -1 where unknown.
struct OutputType {
  TF_DataType dtype;
  bool known_rank;
  std::vector<int64_t> shape;
};

struct NodeAttribute {
  std::string name;
  std::string value;  // a serialized AttrValue
};

// Errors are thrown as std::runtime_error with TensorFlow's own words.
class Session {
 public:
  // `config`: a serialized ConfigProto. Threads and devices are made with the first run: shape inference needs none.
  explicit Session(std::string config);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Adds a serialized GraphDef; its names must be new to the graph.
  void Extend(const std::string& graph_def);
  std::vector<Tensor> Run(const RunRequest& request);
  // Adds one node and says what it gives; the first `list` inputs are one argument, a list.
  std::vector<OutputType> AddNode(const std::string& op, const std::string& name, const std::vector<Endpoint>& inputs,
                                  size_t list, const std::vector<NodeAttribute>& attributes);

 private:
  TF_Output Find(const Endpoint& endpoint) const;
  void Open();

  const std::string config_;
  TF_Graph* const graph_;
  std::once_flag opened_;
  TF_Session* session_ = nullptr;
};

}  // namespace masksub
