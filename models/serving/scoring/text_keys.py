"""What is read of a listing's words: which others are nearly the same, and of what model its goods are."""

from __future__ import annotations

import pandas as pd

from data.catalog.market.texts import VERSION
from features.point_in_time.price_features import stated
from features.point_in_time.product_model_features import goods_of
from features.point_in_time.text_features import text_bands


def texts_of(versions: pd.DataFrame) -> pd.DataFrame:
    """Read the words of versions of listings.

    Parameters
    ----------
    versions
        `data.catalog.market.texts.READ`.

    Returns
    -------
    pandas.DataFrame
        What `data.catalog.market.texts.save_texts` keeps, a row for each version. A model of goods is named only
        where a price
        is stated for it.
    """
    price = pd.Series(stated(versions["price"]), index=versions.index)
    bands = text_bands(versions["title"], versions["description"])
    goods = goods_of(versions).where(price.notna())
    return versions[list(VERSION)].join(bands).assign(goods=goods, price=price.where(goods.notna()))
