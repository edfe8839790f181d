#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::runtime {

/// The keys that leave a container without ending it: docker's --detach-keys. Pure.
class DetachKeys {
 public:
  /// "ctrl-p,ctrl-q": each a character, or ctrl- with one of a-z @ [ \ ] ^ _. Empty: there are none. kInvalidArgument.
  static Result<DetachKeys> parse(std::string_view text);

  struct Fed {
    std::string forward;  // what is for the container
    bool detach = false;  // the keys were pressed; what follows them is dropped
  };
  /// Keys as they come. The beginning of the sequence is held back until it is something else.
  Fed feed(std::string_view bytes);

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

}  // namespace sbx::runtime
