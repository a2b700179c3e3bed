#include "platform/mapping_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <vector>

#include "platform/address_space.h"
#include "platform/assert.h"

namespace firn {

namespace {

struct RangeBlock {
  std::array<GuardedRange, 256> ranges;
  RangeBlock* next = nullptr;  // Constant once published.
};

std::atomic<RangeBlock*> blocks{nullptr};
struct sigaction previous_action;
std::uintptr_t page_mask = 0;  // Low bits within a page. Written before the handler is installed.

GuardedRange* find_range(std::uintptr_t address) {
  for (RangeBlock* block = blocks.load(std::memory_order_acquire); block != nullptr; block = block->next) {
    for (GuardedRange& range : block->ranges) {
      const std::uintptr_t begin = range.begin.load(std::memory_order_acquire);
      if (begin == 0 || address < begin || address >= range.end.load(std::memory_order_acquire)) continue;
      // Was it changing hands? The range of a living mapping, the one that matters, never is.
      if (range.begin.load(std::memory_order_relaxed) == begin) return &range;
    }
  }
  return nullptr;
}

bool replace_page(std::uintptr_t address) {
  GuardedRange* range = find_range(address);
  if (range == nullptr) return false;
  // Before the page: who reads its zeros finds the mark.
  range->failed.store(true, std::memory_order_seq_cst);
  const int protection = range->writable.load(std::memory_order_relaxed) ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const page = reinterpret_cast<void*>(address & ~page_mask);
  // The system call itself: a library put in front of mmap (ThreadSanitizer's, say) is not made for signal handlers.
  return syscall(SYS_mmap, page, page_mask + 1, protection, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != -1;
}

void call_previous(int signal, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler == SIG_DFL) {
    // Blocked until this handler returns; then it ends the process, as it would have without Firn.
    ::signal(signal, SIG_DFL);
    raise(signal);
  } else if (previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  }
}

void handle_sigbus(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool from_kernel = info->si_code > 0;
  const bool ours = from_kernel && replace_page(reinterpret_cast<std::uintptr_t>(info->si_addr));
  errno = saved_errno;
  if (!ours) call_previous(signal, info, context);
}

void install_handler() {
  page_mask = page_bytes() - 1;
  // So that the handler finds it however early it is called.
  FIRN_ASSERT(sigaction(SIGBUS, nullptr, &previous_action) == 0);
  struct sigaction action = {};
  action.sa_sigaction = handle_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  FIRN_ASSERT(sigaction(SIGBUS, &action, nullptr) == 0);
}

// Hands out ranges; grows by blocks.
class RangeTable {
 public:
  RangeTable() { install_handler(); }

  GuardedRange* take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) add_block();
    GuardedRange* range = free_.back();
    free_.pop_back();
    return range;
  }

  void give_back(GuardedRange* range) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(range);
  }

 private:
  void add_block() {
    auto* block = new RangeBlock;
    for (GuardedRange& range : block->ranges) free_.push_back(&range);
    block->next = blocks.load(std::memory_order_relaxed);
    blocks.store(block, std::memory_order_release);
  }

  // A plain std::mutex: never held over a wait, so no schedule depends on it.
  std::mutex mutex_;
  std::vector<GuardedRange*> free_;  // Guarded by mutex_.
};

// Never destroyed: mappings may be used while the process exits.
RangeTable& table() {
  static RangeTable* const table = new RangeTable;
  return *table;
}

}  // namespace

MappingGuard::MappingGuard(const void* address, std::size_t bytes, bool writable) : range_(table().take()) {
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(address);
  // The kernel maps whole pages, and faults in the last one too.
  const std::uintptr_t mask = page_bytes() - 1;
  range_->end.store((begin + bytes + mask) & ~mask, std::memory_order_relaxed);
  range_->writable.store(writable, std::memory_order_relaxed);
  range_->failed.store(false, std::memory_order_relaxed);
  range_->begin.store(begin, std::memory_order_release);
}

MappingGuard::~MappingGuard() {
  range_->begin.store(0, std::memory_order_release);
  table().give_back(range_);
}

}  // namespace firn
