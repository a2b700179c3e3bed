#include "firn/codec/key_bytes.h"

namespace firn::codec {

bool append_prefix_end(std::string& out, Slice prefix) {
  const std::size_t last = prefix.find_last_not_of('\xFF');
  if (last == Slice::npos) return false;
  out.append(prefix.substr(0, last + 1));
  out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
  return true;
}

}  // namespace firn::codec
