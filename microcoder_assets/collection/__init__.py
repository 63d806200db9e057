"""Problems as their sources serve them."""
