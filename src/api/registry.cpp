#include <sbx/registry.hpp>

#include "api/failure.hpp"
#include "api/image_json.hpp"
#include "runtime/transfer.hpp"

namespace sbx {
namespace {

Result<Pulled> pull_one(const PullOptions& options) {
  const runtime::TransferPulled pulled =
      SBX_TRY(runtime::pull_image({SBX_TRY(api::data_root(options.root)), options.name,
                                   options.platform, options.registry, options.progress}));
  return Pulled{pulled.id, pulled.reference, pulled.already};
}

}  // namespace

Outcome<Pulled> pull(const PullOptions& options) { return api::to_outcome(pull_one(options)); }

}  // namespace sbx
