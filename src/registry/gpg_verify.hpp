#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::registry {

/// OpenPGP signatures by a given set of keys, through libgpgme and the program gpg, in a GnuPG home of its own that knows these
/// keys and nothing else, and is gone with the object. gpg is started for each call: not for a confined process.
class GpgVerifier {
 public:
  /// `keyrings`: public keys as gpg exports them, plain or armoured. The home is made in `folder`. kUnsupported if there is no
  /// gpg; kInvalidArgument if there is no key in a keyring.
  static Result<GpgVerifier> make(const std::vector<std::string>& keyrings,
                                  const std::string& folder);
  ~GpgVerifier();
  GpgVerifier(GpgVerifier&&) noexcept;
  GpgVerifier& operator=(GpgVerifier&&) noexcept;

  /// What was signed, 64 KiB at most, if the message is binary OpenPGP with one valid signature by one of the keys (or a
  /// signing subkey of one) that has not expired. kDenied says why not.
  [[nodiscard]] Result<std::string> verify(std::string_view message) const;

 private:
  struct State;
  explicit GpgVerifier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sbx::registry
