// The pool of threads: workers look for work for a moment, then sleep. They live as long as the process.
#include "threads.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace masksub {
namespace {

constexpr auto kSpin = std::chrono::microseconds(30);
constexpr int kPausesPerLook = 32;
constexpr int64_t kClosed = int64_t{1} << 32;

void Pause() {
#if defined(__SSE2__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// How the processor treats denormal numbers: a worker must compute as its caller would.
#if defined(__SSE2__)
unsigned FloatMode() { return _mm_getcsr(); }
void SetFloatMode(unsigned mode) { _mm_setcsr(mode); }
#else
unsigned FloatMode() { return 0; }
void SetFloatMode(unsigned) {}
#endif

int64_t WantedThreads() {
  const char* text = std::getenv("TF_NUM_INTRAOP_THREADS");
  const long wanted = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  const int64_t threads = wanted > 0 ? wanted : static_cast<int64_t>(std::thread::hardware_concurrency());
  return threads < 1 ? 1 : threads > 256 ? 256 : threads;
}

using Body = void (*)(void* context, Tasks& tasks);

class Pool {
 public:
  Pool() : workers_(WantedThreads() - 1) {
    for (int64_t i = 0; i < workers_; i++) {
      try {
        std::thread([this] { Work(); }).detach();
      } catch (const std::system_error&) {
        return;  // fewer threads are slower, not wrong
      }
    }
  }

  bool HasWorkers() const { return workers_ > 0; }

  // False if another thread has the pool.
  bool TryRun(Body body, void* context, Tasks& tasks) {
    std::unique_lock<std::mutex> owner(owner_, std::try_to_lock);
    if (!owner.owns_lock()) return false;
    body_ = body;
    context_ = context;
    tasks_ = &tasks;
    float_mode_ = FloatMode();
    inside_.store(0, std::memory_order_release);
    call_.fetch_add(1);
    if (sleepers_.load() > 0) {
      { std::lock_guard<std::mutex> lock(sleep_); }
      wake_.notify_all();
    }
    body(context, tasks);
    // Whoever is not in by now stays out, and its time is not waited for.
    inside_.fetch_sub(kClosed, std::memory_order_acq_rel);
    for (int looks = 0; inside_.load(std::memory_order_acquire) != -kClosed; looks++) {
      if (looks < 1000) {
        Pause();
      } else {
        std::this_thread::yield();
      }
    }
    return true;
  }

 private:
  void Work() {
    for (uint64_t seen = 0;;) {
      seen = NextCall(seen);
      if (!Enter()) continue;
      SetFloatMode(float_mode_);
      body_(context_, *tasks_);
      inside_.fetch_sub(1, std::memory_order_release);
    }
  }

  // Waits until the call is not `seen` any more.
  uint64_t NextCall(uint64_t seen) {
    const auto end = std::chrono::steady_clock::now() + kSpin;
    do {
      for (int i = 0; i < kPausesPerLook; i++) {
        const uint64_t call = call_.load(std::memory_order_relaxed);
        if (call != seen) return call;
        Pause();
      }
    } while (std::chrono::steady_clock::now() < end);
    std::unique_lock<std::mutex> lock(sleep_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, [&] { return call_.load() != seen; });
    sleepers_.fetch_sub(1);
    return call_.load();
  }

  bool Enter() {
    int64_t inside = inside_.load(std::memory_order_relaxed);
    while (inside >= 0) {
      if (inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  const int64_t workers_;
  std::mutex owner_;
  Body body_ = nullptr;
  void* context_ = nullptr;
  Tasks* tasks_ = nullptr;
  unsigned float_mode_ = 0;
  std::atomic<int64_t> inside_{-kClosed};  // workers in the body; below zero: closed
  std::atomic<uint64_t> call_{0};
  std::atomic<int> sleepers_{0};
  std::mutex sleep_;
  std::condition_variable wake_;
};

}  // namespace

void RunTasks(int64_t count, bool parallel, Body body, void* context) {
  Tasks tasks(count);
  if (parallel && count > 1) {
    // Never destroyed: its threads may still be looking for work while the process exits.
    static Pool* pool = new Pool();
    if (pool->HasWorkers() && pool->TryRun(body, context, tasks)) return;
  }
  body(context, tasks);
}

}  // namespace masksub
