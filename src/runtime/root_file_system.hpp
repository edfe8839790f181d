#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/identity.hpp"
#include "runtime/root_source.hpp"
#include "runtime/run_request.hpp"
#include "sandbox/plan.hpp"
#include "sys/fd.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {

/// The root file system of a container: the source's tree below, the container's upper directory above. Made in the
/// supervisor, so that everything that can be wrong is known before the command starts; served by another process.
class RootFileSystem {
 public:
  struct Input {
    RootSource& source;  // its open files are taken
    const IdChoice& ids;
    const sandbox::Plan& plan;
    const sys::Invoker& invoker;
    const ContainerDir& container;
    const RunRequest& request;
  };
  static Result<std::unique_ptr<RootFileSystem>> make(const Input& input);
  /// An image alone, read-only, for several containers whose ids are the same; its files come from `source`.
  static Result<std::unique_ptr<RootFileSystem>> make_shared_image(RootSource& source,
                                                                   std::vector<sys::Fd> layers,
                                                                   const IdChoice& ids, bool acls);
  ~RootFileSystem();
  RootFileSystem(const RootFileSystem&) = delete;
  RootFileSystem& operator=(const RootFileSystem&) = delete;

  /// What takes time and needs no device; optional.
  Result<void> prepare();
  /// Answers the kernel through a mounted /dev/fuse descriptor until the last mount is gone. Starts threads.
  Result<void> serve(sys::Fd device);
  /// After serve(): what was asked, as a table.
  [[nodiscard]] std::string requests() const;

 private:
  struct Parts;
  explicit RootFileSystem(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace sbx::runtime
