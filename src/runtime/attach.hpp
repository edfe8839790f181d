#pragma once

#include <sbx/container.hpp>

#include "base/result.hpp"
#include "runtime/containers.hpp"
#include "runtime/detach_keys.hpp"
#include "runtime/lifecycle.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// A connection to the supervisor of a container in the background: see attachments.hpp. kBusy if it does not run; kUnsupported if
/// its supervisor does not listen.
Result<sys::Fd> attach_to(const std::string& data_root, const Container& container);

/// Who passes our standard streams on, from and to a container.
class Attached {
 public:
  /// `container` as it is before the connection is made, so that none of its ends is missed.
  static Result<Attached> prepare(const std::string& data_root, const Container& container,
                                  const AttachOptions& options);

  /// Until the container ends: its exit code. 0 if the detach keys were pressed.
  Result<int> run(sys::Fd connection);

 private:
  Attached(std::string data_root, Container container, AttachOptions options, DetachKeys keys,
           bool terminal);

  std::string data_root_;
  Container container_;
  AttachOptions options_;
  DetachKeys keys_;
  bool terminal_;  // the container has one
  EndWatch end_;
};

}  // namespace sbx::runtime
