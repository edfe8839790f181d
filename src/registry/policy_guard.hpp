#pragma once

// policy.json for a process that confines itself: gpg, keyrings and local signatures are out of its reach, and it must not ask
// before it has talked to the registry. So a process that stays outside asks for it.

#include <vector>

#include "base/result.hpp"
#include "registry/policy.hpp"
#include "sys/child.hpp"
#include "sys/fd.hpp"

namespace sbx::registry {

class PolicyGuard {
 public:
  /// If one of these needs gpg, forks a process that answers for them; it ends with us. Must hold: one thread, not confined.
  static Result<PolicyGuard> start(Policy policy, const std::vector<oci::Reference>& references);

  /// As Policy::check, for one of the references that start() was told. `fetch` is called in this process: signatures on
  /// servers are foreign bytes, and go through it unread. kLimit if the other process takes more than 60 s.
  [[nodiscard]] Result<void> check(const oci::Reference& reference, const oci::Digest& manifest,
                                   const SignatureFetcher& fetch) const;

 private:
  explicit PolicyGuard(Policy policy) : policy_(std::move(policy)) {}

  Policy policy_;
  sys::Child process_;
  sys::Fd to_;
  sys::Fd from_;
};

}  // namespace sbx::registry
