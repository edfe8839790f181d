#pragma once

#include <utility>

namespace sbx {

/// Runs a function at the end of the scope, unless released. The function must not throw.
template <class F>
class [[nodiscard]] ScopeExit {
 public:
  explicit ScopeExit(F action) : action_(std::move(action)) {}
  ~ScopeExit() {
    if (armed_) {
      action_();
    }
  }
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ScopeExit(ScopeExit&&) = delete;
  ScopeExit& operator=(ScopeExit&&) = delete;
  void release() { armed_ = false; }

 private:
  F action_;
  bool armed_ = true;
};

}  // namespace sbx
