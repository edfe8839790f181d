#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "sys/child.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// A process of ours in the file tree of a container, as its root and with all rights there. If the container runs, the process joins its
/// user and mount namespaces, and no other: nobody inside sees it. If not, its sandbox is made again without a network, and the
/// container is locked meanwhile. Either way the kernel resolves all paths inside.
///
/// The process is a copy of this one: it loads nothing (no NSS, no iconv: CVE-2019-14271), and nobody inside may look into it
/// (CVE-2019-5736). It ends with us.
class InsideProcess {
 public:
  struct Input {
    std::string data_root;
    std::string id;  // of the container
    int keep =
        -1;  // a descriptor that `action` uses; of all others but the standard streams it has none
    std::function<Result<void>()> action;
  };
  /// The caller must have one thread.
  static Result<InsideProcess> start(const Input& input);

  /// Waits for its end: what `action` returned, or why it could not run. kBusy: another process has the container for long.
  Result<void> finish();

 private:
  InsideProcess(sys::Child child, sys::Fd report)
      : child_(std::move(child)), report_(std::move(report)) {}
  sys::Child child_;
  sys::Fd report_;
};

}  // namespace sbx::runtime
