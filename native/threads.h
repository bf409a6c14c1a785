// A small pool of threads for loops that are cut into tasks: the caller works too, and never waits for a sleeper.
#pragma once

#include <atomic>
#include <cstdint>

namespace masksub {

// The tasks of one call, taken one by one by all its threads.
class Tasks {
 public:
  explicit Tasks(int64_t count) : count_(count) {}
  // The next task, from 0; -1 when none is left.
  int64_t Next() {
    if (next_.load(std::memory_order_relaxed) >= count_) return -1;
    const int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
    return task < count_ ? task : -1;
  }

 private:
  std::atomic<int64_t> next_{0};
  const int64_t count_;
};

// Runs `body(context, tasks)` on the caller and, if `parallel`, on the pool's threads that come in time; returns when
// all have left it. May be called from several threads: one has the pool, the others work alone. The pool has as many
// threads as TF_NUM_INTRAOP_THREADS says, the caller among them, or as the machine has cores.
void RunTasks(int64_t count, bool parallel, void (*body)(void* context, Tasks& tasks), void* context);

}  // namespace masksub
